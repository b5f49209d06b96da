import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { sample } from './images'

/** A variation of a sample: cropped, possibly mirrored, resized and recompressed, determined by the number. */
export async function variant(name: string, number: number): Promise<Buffer> {
  const photo = sharp(sample(name))
  const { width = 0, height = 0 } = await photo.metadata()
  const share = 0.6 + 0.03 * (number % 13)
  const size = { width: Math.round(width * share), height: Math.round(height * share) }
  const part = photo.extract({
    left: Math.round(((width - size.width) * ((number * 37) % 100)) / 100),
    top: Math.round(((height - size.height) * ((number * 61) % 100)) / 100),
    ...size,
  })
  return part
    .flop(number % 2 === 1)
    .resize({ width: 240 + ((number * 17) % 100) })
    .jpeg({ quality: 50 + ((number * 7) % 45) })
    .toBuffer()
}

/** Writes `count` variants of each sample into a folder named after it. @returns the parent folder */
export async function labelledPhotos(folder: string, names: string[], count: number): Promise<string> {
  for (const name of names) {
    mkdirSync(join(folder, name), { recursive: true })
    for (let number = 0; number < count; number++)
      writeFileSync(join(folder, name, `${number}.jpg`), await variant(name, number))
  }
  return folder
}
