/** EXIF orientation: the picture is upright after swapping rows and columns, then mirroring. */
export interface Orientation {
  /** Stored rows are upright columns. */
  swapped: boolean
  /** Along stored rows and columns. */
  mirroredX: boolean
  mirroredY: boolean
}

/** @param exif EXIF's orientation, 1 to 8; anything else counts as 1, upright */
export const orientationOf = (exif: number | undefined): Orientation => ({
  swapped: [5, 6, 7, 8].includes(exif ?? 1),
  mirroredX: [2, 3, 7, 8].includes(exif ?? 1),
  mirroredY: [3, 4, 6, 7].includes(exif ?? 1),
})

/** Upright size of a stored image. */
export const uprightSize = (
  { width, height }: { width: number; height: number },
  { swapped }: Orientation,
): { rows: number; columns: number } =>
  swapped ? { rows: width, columns: height } : { rows: height, columns: width }

/**
 * Turns stored RGB pixels upright.
 * @param size of the stored image
 */
export function turnUpright(
  pixels: Uint8Array,
  size: { width: number; height: number },
  orientation: Orientation,
): Uint8Array {
  const { width, height } = size
  const { swapped, mirroredX, mirroredY } = orientation
  if (!swapped && !mirroredX && !mirroredY) return pixels
  const upright = new Uint8Array(pixels.length)
  const { columns, rows } = uprightSize(size, orientation)
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const [column, row] = swapped ? [y, x] : [x, y]
      const from =
        ((mirroredY ? height - 1 - row : row) * width + (mirroredX ? width - 1 - column : column)) * 3
      upright.set(pixels.subarray(from, from + 3), (y * columns + x) * 3)
    }
  }
  return upright
}

const orientationTag = 0x0112

/**
 * Reads the orientation from an EXIF block, which has the layout of a TIFF file.
 * @returns undefined if it has none or is damaged
 */
export function readExifOrientation(exif: Uint8Array | undefined): number | undefined {
  if (!exif || exif.length < 8) return undefined
  const view = new DataView(exif.buffer, exif.byteOffset, exif.length)
  const littleEndian = view.getUint16(0) === 0x4949
  const directory = view.getUint32(4, littleEndian)
  if (directory + 2 > view.byteLength) return undefined
  const count = view.getUint16(directory, littleEndian)
  for (let index = 0; index < count; index++) {
    const entry = directory + 2 + index * 12
    if (entry + 12 > view.byteLength) return undefined
    if (view.getUint16(entry, littleEndian) === orientationTag) return view.getUint16(entry + 8, littleEndian)
  }
  return undefined
}
