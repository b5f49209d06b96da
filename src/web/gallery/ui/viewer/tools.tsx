import type { RowRecord } from '../../contract'
import { useGallery } from '../context'
import { Icon, type IconName } from '../icons'
import { text } from '../strings'
import type { Zoom } from './use-zoom'

const words = text.viewer

export interface ToolProps {
  icon: IconName
  name: string
  act(): void
  isOff?: boolean
  isPressed?: boolean
}

/** A round button. One that is off keeps the focus. */
export const Tool = ({ icon, name, act, isOff = false, isPressed }: ToolProps) => (
  <button
    type="button"
    class="round"
    aria-label={name}
    title={name}
    aria-disabled={isOff}
    aria-pressed={isPressed}
    onClick={() => !isOff && act()}
  >
    <Icon name={icon} />
  </button>
)

/** By how much a key or a button zooms. */
export const zoomStep = 1.5

export const ZoomTools = ({ zoom }: { zoom: Zoom }) => (
  <>
    <Tool icon="minus" name={words.zoomOut} act={() => zoom.zoomBy(1 / zoomStep)} isOff={zoom.isFitted} />
    <Tool icon="plus" name={words.zoomIn} act={() => zoom.zoomBy(zoomStep)} />
    <button type="button" class="quiet number" title={words.actualSize} onClick={zoom.actualSize}>
      100 %
    </button>
    <Tool icon="fit" name={words.fit} act={zoom.fit} isOff={zoom.isFitted} />
  </>
)

export function SelectTool({ row, position }: { row: number; position: number }) {
  const { selection } = useGallery()
  return (
    <Tool
      icon="check"
      name={text.selection.select}
      isPressed={selection.has(row)}
      isOff={position < 0}
      act={() => selection.click(position, { toggle: true })}
    />
  )
}

export const OriginalLink = ({ record }: { record: RowRecord }) => (
  <a class="quiet" href={record.url} target="_blank" rel="noopener noreferrer">
    <Icon name="external" />
    <span>{words.original}</span>
  </a>
)
