import { useEffect, useState } from 'preact/hooks'
import type { LocalMode } from '../../data/gallery'
import { Icon } from '../icons'
import { text } from '../strings'
import { droppedFiles } from './dropped-files'
import { addFiles } from './uploads'

const hasFiles = ({ dataTransfer }: DragEvent): boolean => dataTransfer?.types.includes('Files') ?? false

/** Accepts files dropped anywhere on the page. */
export function DropArea({ local }: { local: LocalMode }) {
  const [isOver, setOver] = useState(false)
  useEffect(() => {
    const ending = new AbortController()
    const { signal } = ending
    const over = (event: DragEvent) => {
      if (!hasFiles(event)) return
      event.preventDefault()
      setOver(true)
    }
    const left = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false)
    }
    const dropped = async (event: DragEvent) => {
      if (!event.dataTransfer || !hasFiles(event)) return
      event.preventDefault()
      setOver(false)
      addFiles(local, await droppedFiles(event.dataTransfer))
    }
    document.addEventListener('dragover', over, { signal })
    document.addEventListener('dragleave', left, { signal })
    document.addEventListener('drop', dropped, { signal })
    return () => ending.abort()
  }, [local])
  return isOver ? (
    <div class="drop">
      <Icon name="upload" />
      <p>{text.local.drop}</p>
    </div>
  ) : null
}
