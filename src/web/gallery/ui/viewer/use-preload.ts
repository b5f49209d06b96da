import { useEffect } from 'preact/hooks'
import { useGallery } from '../context'

/** So many previews are loaded ahead. */
const ahead = 3

/** Has the records around a photo, and the previews of the next ones, loaded before one goes there. */
export function usePreload(position: number): void {
  const { rows, result } = useGallery()
  const shown = result.value.rows
  useEffect(() => {
    if (position >= 0) rows.want(Math.max(0, position - 1), Math.min(shown.length, position + ahead + 1))
  }, [rows, shown, position])
  const next = position < 0 ? [] : Array.from(shown.subarray(position + 1, position + 1 + ahead))
  const urls = next.map((row) => rows.record(row)?.thumbnailUrl ?? '').join(' ')
  useEffect(() => {
    for (const url of urls.split(' ').filter(Boolean)) new Image().src = url
  }, [urls])
}
