import { maxImageBytes } from '../../image-files'
import { tooLarge } from '../../library/sources/read-image'

/** Reads an image from stdin. @throws ImageError `image_too_large` */
export async function readStdin(): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of process.stdin) {
    chunks.push(chunk)
    size += chunk.length
    if (size > maxImageBytes) throw tooLarge(`stdin has ${size} bytes`)
  }
  return Buffer.concat(chunks)
}
