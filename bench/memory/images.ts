import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp, { type Sharp } from 'sharp'
import { root } from '../processes'

/** Widths of 4:3 images, from thumbnails to 24 megapixels. */
const widths = [100, 320, 500, 1024, 1600, 2592, 4000, 5657]

/** Common photo formats. Those whose decoder holds the whole frame are limited to usual sizes. */
const formats: Record<string, { widest: number; encode(image: Sharp): Sharp }> = {
  jpeg: { widest: 5657, encode: (image) => image.jpeg() },
  'jpeg-rotated': { widest: 5657, encode: (image) => image.withMetadata({ orientation: 6 }).jpeg() },
  'jpeg-progressive': { widest: 5657, encode: (image) => image.jpeg({ progressive: true }) },
  'jpeg-grey': { widest: 5657, encode: (image) => image.greyscale().jpeg() },
  'jpeg-cmyk': { widest: 5657, encode: (image) => image.toColourspace('cmyk').jpeg() },
  png: { widest: 5657, encode: (image) => image.png({ compressionLevel: 1 }) },
  'png-transparent': { widest: 4000, encode: (image) => image.ensureAlpha(0.5).png({ compressionLevel: 1 }) },
  webp: { widest: 5657, encode: (image) => image.webp({ effort: 0 }) },
  gif: { widest: 1024, encode: (image) => image.gif({ effort: 1 }) },
  avif: { widest: 1600, encode: (image) => image.avif({ effort: 0, chromaSubsampling: '4:2:0' }) },
}

const samples = ['cat', 'coffee', 'palace', 'rocket']

export interface MixedImage {
  key: string
  body: Buffer
}

/** Every format in every size, made from the samples. */
export async function* mixedImages(): AsyncGenerator<MixedImage> {
  let made = 0
  for (const width of widths) {
    for (const [format, { widest, encode }] of Object.entries(formats)) {
      if (width > widest) continue
      const sample = samples[made++ % samples.length]
      const photo = readFileSync(join(root, 'samples', `${sample}.jpg`))
      const height = Math.round((width * 3) / 4)
      const resized = await sharp(photo)
        .resize(width, height, { fit: 'fill' })
        .toColourspace('srgb')
        .png({ compressionLevel: 0 })
        .toBuffer()
      yield { key: `${format}-${width}x${height}`, body: await encode(sharp(resized)).toBuffer() }
    }
  }
}
