import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pLimit from 'p-limit'
import type { ResizeOptions } from 'sharp'
import { photo } from '../test/helpers/photos'

export const small = { width: 500, height: 375 }
/** 12 megapixels. */
export const large = { width: 4000, height: 3000 }

/** Writes JPEG files with different photos. @returns their paths */
export async function makePhotos(folder: string, count: number, size: ResizeOptions): Promise<string[]> {
  await mkdir(folder, { recursive: true })
  const limit = pLimit(4)
  const make = async (_: unknown, number: number) => {
    const file = join(folder, `${String(number).padStart(6, '0')}.jpg`)
    await writeFile(file, await photo(number, size))
    return file
  }
  return Promise.all(Array.from({ length: count }, (_, number) => limit(make, _, number)))
}
