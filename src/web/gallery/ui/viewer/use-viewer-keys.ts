import { useGallery } from '../context'
import { isHelpOpen } from '../help'
import { singleKeys } from '../parts/preferences'
import { zoomStep } from './tools'
import type { Zoom } from './use-zoom'

/** Elements on which Space keeps its usual meaning: it presses buttons and scrolls texts. */
const keepsSpace = 'button, a, summary, pre, aside'

/** Keyboard shortcuts of the viewer. The dialog handles Escape. */
export function useViewerKeys(zoom: Zoom) {
  const { viewer, selection, result } = useGallery()
  const move = (by: number) => () => viewer.move(by)
  const all = result.value.rows.length
  const moves: Record<string, () => void> = {
    ArrowLeft: move(-1),
    ArrowRight: move(1),
    Home: move(-all),
    End: move(all),
  }
  const singles: Record<string, () => void> = {
    '+': () => zoom.zoomBy(zoomStep),
    '=': () => zoom.zoomBy(zoomStep),
    '-': () => zoom.zoomBy(1 / zoomStep),
    '0': zoom.fit,
    '1': zoom.actualSize,
    '?': () => {
      isHelpOpen.value = true
    },
  }
  const select = () => {
    const position = viewer.position.peek()
    if (position >= 0) selection.click(position, { toggle: true })
  }
  return (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const isFree = !(event.target instanceof Element && event.target.closest(keepsSpace))
    const action =
      moves[event.key] ??
      (singleKeys.peek() ? singles[event.key] : undefined) ??
      (event.key === ' ' && isFree ? select : undefined)
    if (!action) return
    event.preventDefault()
    action()
  }
}
