import type { RefObject } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { useGallery } from '../context'
import type { Layout } from './layout'
import { topOf } from './use-rows-on-screen'

/**
 * Keeps the top row in place when rows are renumbered or the width changes. Scrolls to the top when the filters change.
 */
export function useScrollAnchor(grid: RefObject<HTMLElement | null>, layout: Layout): void {
  const { rows, filters } = useGallery()
  const generation = rows.generation.value
  const now = filters.now.value
  const before = useRef({ generation, now, columns: layout.columns })
  useLayoutEffect(() => {
    const element = grid.current
    const was = before.current
    before.current = { generation, now, columns: layout.columns }
    // Nothing to restore while the top of the grid is on screen.
    if (!element || topOf(element) <= 0) return
    if (was.now !== now) element.scrollIntoView({ block: 'start' })
    else if (was.generation !== generation || was.columns !== layout.columns) {
      const { value: top } = rows.top
      const position = top === undefined ? -1 : rows.positionOf(top)
      if (position < 0) return
      const offset = topOf(element) % layout.rowHeight
      const row = Math.floor(position / layout.columns)
      scrollBy({ top: row * layout.rowHeight + offset - topOf(element), behavior: 'instant' })
    }
  }, [grid, rows, generation, now, layout])
}
