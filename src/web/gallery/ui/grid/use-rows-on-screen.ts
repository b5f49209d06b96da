import type { RefObject } from 'preact'
import { useLayoutEffect, useState } from 'preact/hooks'
import { type Layout, type Rows, rowsOn } from './layout'

/** Tracks the width of an element, pixels. */
export function useWidth(element: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0)
  useLayoutEffect(() => {
    if (!element.current) return
    setWidth(element.current.clientWidth)
    const observer = new ResizeObserver(([entry]) => entry && setWidth(Math.floor(entry.contentRect.width)))
    observer.observe(element.current)
    return () => observer.disconnect()
  }, [element])
  return width
}

/** Distance of an element's top above the screen's, pixels. */
export const topOf = (element: HTMLElement): number => -element.getBoundingClientRect().top

/** Rows of the grid to mount, updated on scroll. */
export function useRowsOnScreen(
  grid: RefObject<HTMLElement | null>,
  layout: Layout,
  scrolled: () => void,
): Rows {
  const [rows, setRows] = useState<Rows>({ first: 0, last: 0 })
  useLayoutEffect(() => {
    const update = () => {
      if (!grid.current) return
      const now = rowsOn(layout, topOf(grid.current), innerHeight)
      setRows((before) => (before.first === now.first && before.last === now.last ? before : now))
      scrolled()
    }
    update()
    addEventListener('scroll', update, { passive: true })
    addEventListener('resize', update)
    return () => {
      removeEventListener('scroll', update)
      removeEventListener('resize', update)
    }
  }, [grid, layout, scrolled])
  // The previous layout may have had more rows.
  return { first: Math.min(rows.first, layout.rows), last: Math.min(rows.last, layout.rows) }
}
