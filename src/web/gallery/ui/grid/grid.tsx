import { useCallback, useEffect, useMemo, useRef } from 'preact/hooks'
import { useGallery } from '../context'
import { text } from '../strings'
import { Cell } from './cell'
import { type Layout, layoutOf, mountedRows } from './layout'
import { useGridEvents } from './use-grid-events'
import { useGridFocus } from './use-grid-focus'
import { topOf, useRowsOnScreen, useWidth } from './use-rows-on-screen'
import { useScrollAnchor } from './use-scroll-anchor'

interface RowProps {
  index: number
  layout: Layout
  shown: Uint32Array
  /** Position of the cell in the tab order. */
  stop: number
}

/** A row of the grid; its cells are positioned by the style sheet. */
function Row({ index, layout: { columns, square, rowHeight }, shown, stop }: RowProps) {
  const first = index * columns
  const rows = Array.from(shown.subarray(first, first + columns))
  return (
    // biome-ignore lint/a11y/useSemanticElements: rows of a table cannot be placed freely
    // biome-ignore lint/a11y/useFocusableInteractive: its cells have the focus
    <div
      class="grid-row"
      role="row"
      aria-rowindex={index + 1}
      style={{
        transform: `translateY(${index * rowHeight}px)`,
        gridTemplateColumns: `repeat(${columns}, ${square}px)`,
        gridTemplateRows: `${square}px auto`,
      }}
    >
      {rows.map((row, column) => (
        <Cell
          key={row}
          row={row}
          position={first + column}
          column={column}
          isStop={first + column === stop}
        />
      ))}
    </div>
  )
}

/** Grid of the filtered images; mounts only the rows on screen. */
export function Grid() {
  const gallery = useGallery()
  const grid = useRef<HTMLDivElement>(null)
  const width = useWidth(grid)
  const shown = gallery.result.value.rows
  const layout = useMemo(() => layoutOf(width, shown.length), [width, shown.length])
  const rememberTop = useCallback(() => {
    if (!grid.current) return
    const row = Math.max(0, Math.floor(topOf(grid.current) / layout.rowHeight))
    gallery.rows.top.value = gallery.result.peek().rows[row * layout.columns]
  }, [gallery, layout])
  // Must run before useRowsOnScreen(), which reads the scroll position that it sets.
  useScrollAnchor(grid, layout)
  const { first, last } = useRowsOnScreen(grid, layout, rememberTop)
  const isViewing = gallery.viewer.row.value !== undefined
  useEffect(() => {
    if (!isViewing && last > first) gallery.rows.want(first * layout.columns, last * layout.columns)
  }, [gallery, shown, isViewing, first, last, layout])
  const focus = useGridFocus(grid, first * layout.columns)
  const events = useGridEvents(layout, focus)
  return (
    // biome-ignore lint/a11y/useSemanticElements: rows of a table cannot be placed freely
    <div
      class="grid"
      id="grid"
      ref={grid}
      role="grid"
      aria-label={text.grid.title}
      aria-multiselectable="true"
      aria-rowcount={layout.rows}
      aria-colcount={layout.columns}
      style={{ height: `${layout.height}px`, '--gap': `${layout.gap}px` }}
      {...events}
    >
      {mountedRows({ first, last }, focus.isKept ? Math.floor(focus.position / layout.columns) : -1).map(
        (index) => (
          <Row key={index} index={index} layout={layout} shown={shown} stop={focus.position} />
        ),
      )}
    </div>
  )
}
