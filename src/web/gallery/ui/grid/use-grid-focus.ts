import type { RefObject } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { useGallery } from '../context'

export interface GridFocus {
  /** The cell in the tab order. */
  position: number
  /** Whether it has had the focus; if so, it stays mounted. */
  isKept: boolean
  /** Moves the focus, and scrolls to it. */
  moveTo(position: number): void
  /** Called when a cell received the focus by other means. */
  isAt(position: number): void
}

/**
 * Roving tab index: one cell of the grid is in the tab order, and arrow keys move it. It is kept when rows are renumbered, and
 * restored when the viewer closes.
 * @param first position on screen, used initially
 */
export function useGridFocus(grid: RefObject<HTMLElement | null>, first: number): GridFocus {
  const { rows, result, viewer } = useGallery()
  const [, redraw] = useState({})
  const wantsFocus = useRef(false)
  const hadFocus = useRef(false)
  const viewed = viewer.row.value
  const wasViewed = useRef(viewed)
  const shown = result.value.rows
  const focused = rows.focused.value
  const known = focused === undefined ? -1 : rows.positionOf(focused)
  const position = known >= 0 ? known : Math.min(first, Math.max(0, shown.length - 1))

  useLayoutEffect(() => {
    // The focused cell was unmounted, and another one took its place.
    const isLost = hadFocus.current && document.activeElement === document.body
    if (!wantsFocus.current && !isLost) return
    const cell = grid.current?.querySelector<HTMLElement>('[tabindex="0"]')
    cell?.focus({ preventScroll: true })
    if (wantsFocus.current) cell?.scrollIntoView({ block: 'nearest' })
    wantsFocus.current = false
  })

  // After the viewer's dialog has closed, which restores the focus to where it was opened.
  useEffect(() => {
    const last = wasViewed.current
    wasViewed.current = viewed
    if (last === undefined || viewed !== undefined) return
    rows.focused.value = last
    wantsFocus.current = true
    redraw({})
  })

  useLayoutEffect(() => {
    const note = () => {
      // Focus on the body means that it was lost.
      if (document.activeElement !== document.body)
        hadFocus.current = grid.current?.contains(document.activeElement) ?? false
    }
    document.addEventListener('focusin', note)
    document.addEventListener('pointerdown', forget)
    function forget(event: Event) {
      if (!grid.current?.contains(event.target as Node)) hadFocus.current = false
    }
    return () => {
      document.removeEventListener('focusin', note)
      document.removeEventListener('pointerdown', forget)
    }
  }, [grid])

  const isAt = (to: number) => {
    rows.focused.value = shown[to]
    redraw({})
  }
  const moveTo = (to: number) => {
    wantsFocus.current = true
    isAt(to)
  }
  return { position, isKept: known >= 0, moveTo, isAt }
}
