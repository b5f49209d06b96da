/* Position of a picture on its stage, in screen pixels. */

export interface Size {
  width: number
  height: number
}

export interface Point {
  x: number
  y: number
}

export interface View {
  /** Screen pixels per picture pixel. */
  scale: number
  /** Offset of the picture's centre from the stage's. */
  x: number
  y: number
}

/** Maximum zoom, screen pixels per picture pixel. */
const maxScale = 8
/** Small pictures are enlarged at most this much to fit. */
const maxFit = 2

/** Scale at which the whole picture fits. */
export const fitScale = (stage: Size, picture: Size): number =>
  Math.min(stage.width / picture.width, stage.height / picture.height, maxFit)

export const fitted = (stage: Size, picture: Size): View => ({ scale: fitScale(stage, picture), x: 0, y: 0 })

/** How far the picture extends beyond the stage on each side. */
const room = (stage: number, picture: number): number => Math.max(0, (picture - stage) / 2)

const clamp = (value: number, most: number): number => Math.min(Math.max(value, -most), most)

/** Pans, limited so that the picture keeps covering the stage. */
export function moved({ scale, x, y }: View, by: Point, stage: Size, picture: Size): View {
  return {
    scale,
    x: clamp(x + by.x, room(stage.width, picture.width * scale)),
    y: clamp(y + by.y, room(stage.height, picture.height * scale)),
  }
}

/** Zooms to a scale around a point, relative to the centre of the stage. */
export function zoomedTo(view: View, scale: number, at: Point, stage: Size, picture: Size): View {
  const least = fitScale(stage, picture)
  const to = Math.min(Math.max(scale, least), Math.max(maxScale, least))
  const factor = to / view.scale
  const zoomed = { scale: to, x: at.x + (view.x - at.x) * factor, y: at.y + (view.y - at.y) * factor }
  return moved(zoomed, { x: 0, y: 0 }, stage, picture)
}

export const isFitted = (view: View, stage: Size, picture: Size): boolean =>
  view.scale <= fitScale(stage, picture) * 1.001
