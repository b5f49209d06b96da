import type { Sharp } from 'sharp'

const turns: Record<number, (image: Sharp) => Sharp> = {
  1: (image) => image,
  2: (image) => image.flop(),
  3: (image) => image.rotate(180),
  4: (image) => image.flip(),
  5: (image) => image.flop().rotate(270),
  6: (image) => image.rotate(270),
  7: (image) => image.flop().rotate(90),
  8: (image) => image.rotate(90),
}

/** An upright image, stored as by a camera held in the given orientation. @param orientation EXIF value */
export const turnedBy = (orientation: number, image: Sharp): Sharp =>
  (turns[orientation] as (image: Sharp) => Sharp)(image)
