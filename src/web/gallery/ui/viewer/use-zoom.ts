import type { RefObject } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { listen } from './gestures'
import { fitScale, fitted, isFitted, moved, type Point, type Size, type View, zoomedTo } from './zoom'

export interface Zoom {
  view: View
  isFitted: boolean
  zoomBy(factor: number): void
  fit(): void
  actualSize(): void
}

const middle: Point = { x: 0, y: 0 }
/** Tracks the size of an element, pixels. */
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
 * Zoom and pan of a picture on a stage: wheel, drag, pinch, double click.
 * @param photo changes reset the zoom
 * @param turn called on a swipe while the picture fits
 */
export function useZoom(
  element: RefObject<HTMLElement | null>,
  stage: Size,
  picture: Size,
  photo: unknown,
  turn: (by: 1 | -1) => void,
): Zoom {
  // Undefined while the picture fits, so that it keeps fitting when the window is resized.
  const [chosen, setChosen] = useState<View | undefined>()
  const [of, setOf] = useState(photo)
  if (of !== photo) {
    setOf(photo)
    setChosen(undefined)
  }
  const view = (of === photo && chosen) || fitted(stage, picture)
  const latest = useRef({ view, stage, picture, turn })
  latest.current = { view, stage, picture, turn }

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
      swipe: (by: 1 | -1) => {
        const { view, stage, picture, turn } = latest.current
        if (isFitted(view, stage, picture)) turn(by)
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
