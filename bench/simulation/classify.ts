import { unknownRecord } from '../../src/batch/records/record'
import type { ModelFolder } from '../../src/models/folder'
import type { ImageRecord, ImageRef } from '../../src/schema'
import { numberOf } from './images'

/** One image of so many cannot be read. */
const corruptEvery = 1000

/** The classes of some image: any five, but always the same. */
const classesOf = (image: number, count: number): number[] =>
  [0, 1, 2, 3, 4].map((rank) => (image * 31 + rank * 211) % count)

/** Probabilities as they come from a network: single-precision numbers, with all their digits. */
const probabilityOf = (rank: number): number => Math.fround(0.61 / (rank + 1) ** 2)

/** What a model would say of an image that nobody has: a record like a real one in everything but truth. */
export function recordOf(
  { version, classes }: Pick<ModelFolder, 'version' | 'classes'>,
  image: ImageRef,
  made: { activationId: string; at: number },
): ImageRecord {
  const { at } = made
  const record = unknownRecord(image, { model: version, engine: 'wasm', activationId: made.activationId, at })
  const number = numberOf(image.key)
  if (number % corruptEvery === corruptEvery - 1) {
    const message = 'The image ends before all of it was read'
    return { ...record, error: { code: 'image_corrupt', message, retryable: false, attempts: 1 } }
  }
  const labels = classesOf(number, classes.length).map((index, rank) => {
    const { className = '', wordnetId = '' } = classes[index] ?? {}
    const label = className.split(', ')[0] ?? className
    return { label, className, wordnetId, index, probability: probabilityOf(rank) }
  })
  const timings = { download: 12, decode: 8.4, infer: 31.6 }
  return { ...record, status: 'ok', labels, width: 1024, height: 768, format: 'jpeg', timings }
}
