import sharp, { type Sharp } from 'sharp'
import { heicFixture, heicGrid } from '../../helpers/heic'
import { sample, sampleNames } from '../../helpers/images'
import { type TiffOptions, tiff } from '../../helpers/tiff'
import type { Random } from '../../simulation/random'

/** Images that must be classified, by kind; the kind starts with the extension. */

type Maker = (random: Random) => Promise<Buffer>

/** A small photo, cropped from a sample. */
function photo(random: Random): Sharp {
  const [width, height] = [random.between(40, 420), random.between(40, 420)]
  return sharp(sample(random.pick(sampleNames))).resize(width, height, {
    fit: random.pick(['cover', 'fill']),
  })
}

/** Adds metadata as cameras and programs write it. */
function annotated(image: Sharp, random: Random): Sharp {
  if (random.chance(0.3)) image.withMetadata({ orientation: random.between(1, 8) })
  if (random.chance(0.1)) image.withIccProfile(random.pick(['p3', 'srgb']))
  if (random.chance(0.2))
    image.withExifMerge({ IFD0: { Make: 'Maker', ImageDescription: 'é'.repeat(random.between(1, 4000)) } })
  return image
}

const see = (alpha: number) => (image: Sharp) => image.ensureAlpha(alpha)
const grey = (image: Sharp) => image.toColourspace('b-w')
const grey16 = (image: Sharp) => image.toColourspace('grey16')
const deep = (image: Sharp) => image.toColourspace('rgb16')
const cmyk = (image: Sharp) => image.toColourspace('cmyk')

type Encode = (image: Sharp, random: Random) => Sharp
const plainly =
  (encode: Encode): Maker =>
  (random) =>
    encode(photo(random), random).toBuffer()
const withNotes =
  (encode: Encode): Maker =>
  (random) =>
    annotated(encode(photo(random), random), random).toBuffer()

const moving =
  (format: 'gif' | 'webp'): Maker =>
  async (random) => {
    const frame = photo(random)
    const frames = [await frame.png().toBuffer(), await frame.clone().negate().png().toBuffer()]
    return sharp(frames, { join: { animated: true } })
      .toFormat(format)
      .toBuffer()
  }

/** Kinds that sharp does not write. */
const written =
  (
    samples: number,
    { bits, ...options }: Omit<TiffOptions, 'width' | 'height' | 'samples'>,
    pack: (pixels: Buffer) => Buffer = (pixels) => pixels,
  ): Maker =>
  async (random) => {
    const image = photo(random)
    if (samples < 3) image.toColourspace('b-w')
    if (samples % 2 === 0) image.ensureAlpha(0.5)
    const { data, info } = await image.raw().toBuffer({ resolveWithObject: true })
    return tiff(
      { ...options, bits, samples, width: info.width, height: info.height },
      pack(rowsOf(data, bits, info.width)),
    )
  }

/** Packs one-byte samples into fewer bits; rows are padded to whole bytes. */
function rowsOf(data: Buffer, bits: number, width: number): Buffer {
  if (bits === 8) return data
  const rowBytes = Math.ceil((width * bits) / 8)
  const rows = Buffer.alloc((data.length / width) * rowBytes)
  data.forEach((value, index) => {
    const [row, column] = [Math.floor(index / width), index % width]
    const bit = column * bits
    const at = row * rowBytes + (bit >> 3)
    rows[at] = (rows[at] as number) | ((value >> (8 - bits)) << (8 - bits - (bit & 7)))
  })
  return rows
}

const planes = (data: Buffer): Buffer =>
  Buffer.concat([0, 1, 2].map((channel) => data.filter((_, index) => index % 3 === channel)))

const palette = (bits: number): number[] =>
  [1, 2, 3].flatMap((part) =>
    Array.from({ length: 1 << bits }, (_, index) => ((index * 65535 * part) / (3 << bits)) | 0),
  )

export const pictures: Record<string, Maker> = {
  'jpg baseline': withNotes((image, random) => image.jpeg({ quality: random.between(30, 95) })),
  'jpg full chroma': withNotes((image) => image.jpeg({ chromaSubsampling: '4:4:4' })),
  'jpg progressive': withNotes((image) => image.jpeg({ progressive: true })),
  'jpg optimised': withNotes((image) => image.jpeg({ mozjpeg: true })),
  'jpg grey': withNotes((image) => grey(image).jpeg()),
  'jpg cmyk': plainly((image) => cmyk(image).jpeg()),
  'png rgb': withNotes((image) => image.png({ compressionLevel: 1 })),
  'png palette': withNotes((image) => image.png({ palette: true, colours: 64 })),
  'png grey': withNotes((image) => grey(image).png()),
  'png 16-bit': withNotes((image) => deep(image).png({ compressionLevel: 1 })),
  'png 16-bit grey': withNotes((image) => grey16(image).png({ compressionLevel: 1 })),
  'png transparent': withNotes((image) => see(0.4)(image).png({ compressionLevel: 1 })),
  'png interlaced': withNotes((image) => image.png({ progressive: true, compressionLevel: 1 })),
  'webp lossy': withNotes((image, random) => image.webp({ quality: random.between(30, 95), effort: 0 })),
  'webp lossless': withNotes((image) => image.webp({ lossless: true, effort: 0 })),
  'webp transparent': withNotes((image) => see(0.6)(image).webp({ effort: 0 })),
  'webp moving': moving('webp'),
  'gif still': plainly((image) => image.gif({ effort: 1 })),
  'gif moving': moving('gif'),
  'avif 8-bit': plainly((image) => image.avif({ effort: 0 })),
  'avif 10-bit': plainly((image) => image.avif({ effort: 0, bitdepth: 10 })),
  'avif transparent': plainly((image) => see(0.5)(image).avif({ effort: 0 })),
  'heic still': async (random) =>
    heicFixture(random.pick(['cat', 'cat-444', '10-bit', 'half-transparent', 'turned'])),
  'heic tiles': async (random) => heicGrid(random.between(1, 3), random.between(1, 3), random.between(0, 3)),
  'tif none': withNotes((image) => image.tiff({ compression: 'none' })),
  'tif lzw': withNotes((image) => image.tiff({ compression: 'lzw', predictor: 'horizontal' })),
  'tif deflate': withNotes((image) => image.tiff({ compression: 'deflate' })),
  'tif packbits': withNotes((image) => image.tiff({ compression: 'packbits' })),
  'tif jpeg': withNotes((image) => image.tiff({ compression: 'jpeg' })),
  'tif tiles': withNotes((image) =>
    image.tiff({ compression: 'lzw', tile: true, tileWidth: 64, tileHeight: 64 }),
  ),
  'tif jpeg tiles': withNotes((image) => image.tiff({ compression: 'jpeg', tile: true })),
  'tif pyramid': plainly((image) => image.tiff({ compression: 'deflate', tile: true, pyramid: true })),
  'tif big': plainly((image) => image.tiff({ compression: 'lzw', bigtiff: true })),
  'tif grey': withNotes((image) => grey(image).tiff({ compression: 'lzw' })),
  'tif 16-bit': withNotes((image) => deep(image).tiff({ compression: 'lzw' })),
  'tif 16-bit grey': withNotes((image) => grey16(image).tiff({ compression: 'none' })),
  'tif cmyk': plainly((image) => cmyk(image).tiff({ compression: 'lzw' })),
  'tif transparent': plainly((image) => see(0.5)(image).tiff({ compression: 'lzw' })),
  'tif fax': plainly((image) => grey(image).threshold().tiff({ compression: 'ccittfax4', bitdepth: 1 })),
  'tif 1-bit': written(1, { bits: 1, photometric: 0 }),
  'tif 2-bit': written(1, { bits: 2, photometric: 1 }),
  'tif 4-bit': written(1, { bits: 4, photometric: 1, bigEndian: true }),
  'tif white is zero': written(1, { bits: 8, photometric: 0 }),
  'tif 4-bit palette': written(1, { bits: 4, photometric: 3, palette: palette(4) }),
  'tif 8-bit palette': written(1, { bits: 8, photometric: 3, palette: palette(8), bigEndian: true }),
  'tif planes': written(3, { bits: 8, photometric: 2, planar: 2 }, planes),
  'tif big-endian': written(3, { bits: 8, photometric: 2, bigEndian: true }),
  'tif other sample': written(4, { bits: 8, photometric: 2, extraSamples: [0] }),
  'tif transparent, written': written(4, { bits: 8, photometric: 2, extraSamples: [2], bigEndian: true }),
}
