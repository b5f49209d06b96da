import type { RefObject } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { fitScale, fitted, isFitted, moved, type Point, type Size, type View, zoomedTo } from './zoom'

export interface Zoom {
  view: View
  isFitted: boolean
  zoomBy(factor: number): void
  fit(): void
  actualSize(): void
}

const middle: Point = { x: 0, y: 0 }
/** Of a wheel's step in pixels. */
const wheelStep = 0.0015

/** Size of an element, pixels. */
export function useSize(element: RefObject<HTMLElement | null>): Size {
  const [size, setSize] = useState<Size>({ width: 1, height: 1 })
  useEffect(() => {
    if (!element.current) return
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setSize({ width: entry.contentRect.width, height: entry.contentRect.height })
    })
    observer.observe(element.current)
    return () => observer.disconnect()
  }, [element])
  return size
}

/**
 * Zooms and moves the picture on a stage: by wheel, by dragging, by pinching with two fingers, by a double click.
 * @param picture its size; a picture of its own for each photo
 */
export function useZoom(
  element: RefObject<HTMLElement | null>,
  stage: Size,
  picture: Size,
  photo: unknown,
): Zoom {
  // Undefined as long as it fits: then it goes on to fit when the window changes.
  const [chosen, setChosen] = useState<View | undefined>()
  const [of, setOf] = useState(photo)
  if (of !== photo) {
    setOf(photo)
    setChosen(undefined)
  }
  const view = (of === photo && chosen) || fitted(stage, picture)
  const latest = useRef({ view, stage, picture })
  latest.current = { view, stage, picture }

  const actions = useMemo(() => {
    const show = (next: View) => {
      const { stage, picture } = latest.current
      latest.current.view = next
      setChosen(isFitted(next, stage, picture) ? undefined : next)
    }
    const zoomTo = (scale: number, at: Point) => {
      const { view, stage, picture } = latest.current
      show(zoomedTo(view, scale, at, stage, picture))
    }
    return {
      moveBy: (by: Point) => {
        const { view, stage, picture } = latest.current
        show(moved(view, by, stage, picture))
      },
      zoomAt: (factor: number, at: Point) => zoomTo(latest.current.view.scale * factor, at),
      toggle: (at: Point) => {
        const { view, stage, picture } = latest.current
        const isWhole = isFitted(view, stage, picture)
        zoomTo(isWhole ? Math.max(1, fitScale(stage, picture) * 2) : 0, at)
      },
      fit: () => zoomTo(0, middle),
      actualSize: () => zoomTo(1, middle),
    }
  }, [])

  useEffect(() => (element.current ? listen(element.current, actions) : undefined), [element, actions])
  const { fit, actualSize } = actions
  return {
    view,
    isFitted: isFitted(view, stage, picture),
    zoomBy: (factor) => actions.zoomAt(factor, middle),
    fit,
    actualSize,
  }
}

interface Actions {
  moveBy(by: Point): void
  zoomAt(factor: number, at: Point): void
  toggle(at: Point): void
}

/** Follows wheel and pointers on the stage. @returns how to end it */
function listen(stage: HTMLElement, { moveBy, zoomAt, toggle }: Actions): () => void {
  const pointers = new Map<number, Point>()
  const ending = new AbortController()
  const { signal } = ending

  const fromMiddle = ({ clientX, clientY }: MouseEvent): Point => {
    const { left, top, width, height } = stage.getBoundingClientRect()
    return { x: clientX - left - width / 2, y: clientY - top - height / 2 }
  }
  const released = ({ pointerId }: PointerEvent) => pointers.delete(pointerId)

  const wheeled = (event: WheelEvent) => {
    event.preventDefault()
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 33 : event.deltaY
    // Browsers tell of pinching on a touchpad as of a wheel with Ctrl, in smaller steps.
    zoomAt(Math.exp(-pixels * wheelStep * (event.ctrlKey ? 6 : 1)), fromMiddle(event))
  }
  const pressed = (event: PointerEvent) => {
    if (event.button !== 0 || (event.target as Element).closest('button, a')) return
    stage.setPointerCapture(event.pointerId)
    pointers.set(event.pointerId, fromMiddle(event))
  }
  const dragged = (event: PointerEvent) => {
    const before = pointers.get(event.pointerId)
    if (!before) return
    const now = fromMiddle(event)
    const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, point]) => point)
    pointers.set(event.pointerId, now)
    if (!other) return moveBy({ x: now.x - before.x, y: now.y - before.y })
    const factor = distance(now, other) / Math.max(1, distance(before, other))
    const centre = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 }
    zoomAt(factor, centre)
    moveBy({ x: (now.x - before.x) / 2, y: (now.y - before.y) / 2 })
  }

  stage.addEventListener('wheel', wheeled, { signal, passive: false })
  stage.addEventListener('pointerdown', pressed, { signal })
  stage.addEventListener('pointermove', dragged, { signal })
  stage.addEventListener('pointerup', released, { signal })
  stage.addEventListener('pointercancel', released, { signal })
  stage.addEventListener('dblclick', (event) => toggle(fromMiddle(event)), { signal })
  return () => ending.abort()
}

const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y)
