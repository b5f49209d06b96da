import { useEffect } from 'preact/hooks'
import { useGallery } from '../context'

/** Number of previews to preload. */
const ahead = 3

/** Preloads the previews of the next photos. */
export function usePreload(position: number): void {
  const { rows, result } = useGallery()
  const shown = result.value.rows
  const next = position < 0 ? [] : Array.from(shown.subarray(position + 1, position + 1 + ahead))
  const urls = next.map((row) => rows.record(row)?.thumbnailUrl ?? '').join(' ')
  useEffect(() => {
    for (const url of urls.split(' ').filter(Boolean)) new Image().src = url
  }, [urls])
}
