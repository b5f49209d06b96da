import type { Point } from './zoom'

/** Zoom per pixel of wheel movement. */
const wheelStep = 0.0015
/** Minimum length of a swipe to another photo, pixels. */
const swipeLength = 50

interface Actions {
  moveBy(by: Point): void
  zoomAt(factor: number, at: Point): void
  toggle(at: Point): void
  swipe(by: 1 | -1): void
}

/** Listens to wheel and pointer events on the stage. @returns a function that stops it */
export function listen(stage: HTMLElement, { moveBy, zoomAt, toggle, swipe }: Actions): () => void {
  const pointers = new Map<number, Point>()
  /** Where the single finger on the stage came down. */
  let swiping: Point | undefined
  const ending = new AbortController()
  const { signal } = ending

  const fromMiddle = ({ clientX, clientY }: MouseEvent): Point => {
    const { left, top, width, height } = stage.getBoundingClientRect()
    return { x: clientX - left - width / 2, y: clientY - top - height / 2 }
  }
  const released = (event: PointerEvent) => {
    pointers.delete(event.pointerId)
    if (!swiping) return
    const { x, y } = fromMiddle(event)
    const [right, down] = [x - swiping.x, y - swiping.y]
    swiping = undefined
    if (event.type === 'pointerup' && Math.abs(right) > Math.max(swipeLength, 2 * Math.abs(down)))
      swipe(right < 0 ? 1 : -1)
  }

  const wheeled = (event: WheelEvent) => {
    event.preventDefault()
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 33 : event.deltaY
    // Browsers report a touchpad pinch as wheel events with Ctrl, in smaller steps.
    zoomAt(Math.exp(-pixels * wheelStep * (event.ctrlKey ? 6 : 1)), fromMiddle(event))
  }
  const pressed = (event: PointerEvent) => {
    if (event.button !== 0 || (event.target as Element).closest('button, a')) return
    stage.setPointerCapture(event.pointerId)
    pointers.set(event.pointerId, fromMiddle(event))
    swiping = event.pointerType === 'touch' && pointers.size === 1 ? fromMiddle(event) : undefined
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
