/* Where a picture is on its stage. All in pixels of the screen. */

export interface Size {
  width: number
  height: number
}

export interface Point {
  x: number
  y: number
}

export interface View {
  /** Pixels of the screen for one of the picture's. */
  scale: number
  /** From the middle of the stage to that of the picture. */
  x: number
  y: number
}

/** A picture is at most so large, pixels of the screen for one of the picture's. */
const greatestScale = 8
/** Small pictures are not blown up beyond this. */
const greatestFit = 2

/** The scale at which all of the picture is seen. */
export const fitScale = (stage: Size, picture: Size): number =>
  Math.min(stage.width / picture.width, stage.height / picture.height, greatestFit)

export const fitted = (stage: Size, picture: Size): View => ({ scale: fitScale(stage, picture), x: 0, y: 0 })

/** As much as the picture is larger than the stage, on either side. */
const room = (stage: number, picture: number): number => Math.max(0, (picture - stage) / 2)

const clamp = (value: number, most: number): number => Math.min(Math.max(value, -most), most)

/** Keeps the picture on the stage: it moves only as far as it is larger. */
export function moved({ scale, x, y }: View, by: Point, stage: Size, picture: Size): View {
  return {
    scale,
    x: clamp(x + by.x, room(stage.width, picture.width * scale)),
    y: clamp(y + by.y, room(stage.height, picture.height * scale)),
  }
}

/** Zooms to a scale; the point, from the middle of the stage, stays where it is. */
export function zoomedTo(view: View, scale: number, at: Point, stage: Size, picture: Size): View {
  const least = fitScale(stage, picture)
  const to = Math.min(Math.max(scale, least), Math.max(greatestScale, least))
  const factor = to / view.scale
  const zoomed = { scale: to, x: at.x + (view.x - at.x) * factor, y: at.y + (view.y - at.y) * factor }
  return moved(zoomed, { x: 0, y: 0 }, stage, picture)
}

export const isFitted = (view: View, stage: Size, picture: Size): boolean =>
  view.scale <= fitScale(stage, picture) * 1.001
