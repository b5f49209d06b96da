import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'

const folder = join(__dirname, '..', '..', 'samples')
const samples = readdirSync(folder).filter((name) => name.endsWith('.jpg'))

/** A photo of its own for each number: a sample, resized and recompressed. The same number gives the same bytes. */
export async function photo(number: number): Promise<Buffer> {
  const sample = readFileSync(join(folder, samples[number % samples.length] ?? ''))
  return sharp(sample)
    .resize(240 + (number % 97))
    .jpeg({ quality: 60 + (number % 31) })
    .toBuffer()
}
