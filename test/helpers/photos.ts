import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp, { type ResizeOptions } from 'sharp'

const folder = join(__dirname, '..', '..', 'samples')
const samples = readdirSync(folder).filter((name) => name.endsWith('.jpg'))

/** A distinct photo for each number: a sample, resized and recompressed. Deterministic. */
export async function photo(
  number: number,
  size: ResizeOptions = { width: 240 + (number % 97) },
): Promise<Buffer> {
  const sample = readFileSync(join(folder, samples[number % samples.length] ?? ''))
  return sharp(sample)
    .resize(size)
    .jpeg({ quality: 60 + (number % 31) })
    .toBuffer()
}
