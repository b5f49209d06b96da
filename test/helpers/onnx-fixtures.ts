import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'

/* ONNX models written by other frameworks; see the scripts in test/fixtures/onnx. */

const root = join(__dirname, '..', 'fixtures', 'onnx')

/** Path of a fixture. */
export const fixture = (...names: string[]): string => join(root, ...names)

/** Probabilities computed by the framework itself for {@link pattern}. */
export const expectedOf = (name: string): number[] =>
  JSON.parse(readFileSync(fixture(name, 'expected.json'), 'utf8'))

/** A PNG that differs along each axis and in each channel. */
export const pattern = (size: number): Promise<Buffer> => {
  const pixels = Uint8Array.from({ length: size * size * 3 }, (_, index) => {
    const [y, x, c] = [Math.floor(index / (3 * size)), Math.floor(index / 3) % size, index % 3]
    return (x * 37 + y * 91 + c * 53) % 256
  })
  return sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
    .png()
    .toBuffer()
}
