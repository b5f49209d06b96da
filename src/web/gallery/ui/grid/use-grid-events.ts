import { useGallery } from '../context'
import { isHelpOpen } from '../help'
import { singleKeys } from '../parts/preferences'
import { targetOf } from './keys'
import type { Layout } from './layout'
import type { GridFocus } from './use-grid-focus'

const positionAt = (target: EventTarget | null): number | undefined => {
  const cell = target instanceof Element ? target.closest<HTMLElement>('[data-position]') : null
  return cell ? Number(cell.dataset.position) : undefined
}

/** Keyboard and click handlers of the grid. */
export function useGridEvents(layout: Layout, focus: GridFocus) {
  const { result, selection, viewer } = useGallery()

  const open = (position: number) => {
    const row = result.peek().rows[position]
    if (row !== undefined) viewer.open(row)
  }

  const onClick = (event: MouseEvent) => {
    const position = positionAt(event.target)
    if (position === undefined) return
    focus.isAt(position)
    const isCheck = event.target instanceof Element && event.target.closest('.check') !== null
    if (event.shiftKey) selection.click(position, { range: true })
    else if (isCheck || event.ctrlKey || event.metaKey) selection.click(position, { toggle: true })
    else open(position)
  }

  const move = (event: KeyboardEvent): boolean => {
    const page = Math.max(1, Math.floor(innerHeight / layout.rowHeight) - 1)
    const shape = { columns: layout.columns, count: result.peek().rows.length, page }
    const to = targetOf(event, focus.position, shape)
    if (to === undefined) return false
    if (event.shiftKey) {
      // A range starts at the current position.
      if (selection.count.peek() === 0) selection.click(focus.position)
      selection.click(to, { range: true })
    }
    focus.moveTo(to)
    return true
  }

  const actions: Record<string, () => void> = {
    Enter: () => open(focus.position),
    ' ': () => selection.click(focus.position, { toggle: true }),
    Escape: () => selection.clear(),
  }
  const singles: Record<string, () => void> = {
    '/': () => document.getElementById('search')?.focus(),
    '?': () => {
      isHelpOpen.value = true
    },
  }

  const act = ({ key, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean => {
    const isCommand = ctrlKey || metaKey
    if (isCommand && key.toLowerCase() === 'a') {
      selection.all()
      return true
    }
    const action = actions[key] ?? (singleKeys.peek() && !isCommand && !altKey ? singles[key] : undefined)
    action?.()
    return action !== undefined
  }

  const onKeyDown = (event: KeyboardEvent) => {
    if (positionAt(event.target) === undefined) return
    if (!event.altKey && move(event)) event.preventDefault()
    else if (act(event)) event.preventDefault()
  }

  const onFocusIn = (event: FocusEvent) => {
    const position = positionAt(event.target)
    if (position !== undefined && position !== focus.position) focus.isAt(position)
  }

  return { onClick, onKeyDown, onFocusIn }
}
