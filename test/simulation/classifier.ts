import { readChunk } from '../../src/batch/records/chunks'
import { errorOf, initialRecord } from '../../src/batch/records/record'
import type { ChunkMessage } from '../../src/batch/running/dispatch'
import { ImageError, WhisklensError } from '../../src/errors'
import type { ImageRecord, ImageRef } from '../../src/schema'
import type { Store } from '../../src/storage/store'
import type { Environment } from './platform/openwhisk'

/** The environment of the stand-in for `classify`. */
export interface Classifier {
  /** `<id>@<8 hex>`. */
  version(): string
  store(surroundings: Environment): Store
  results: string
  /** Images classified before an activation runs out of time. */
  maxImages(): number
  /** Called for each classified image version. */
  onClassified(image: ImageRef & { etag: string }): void
}

/** First bytes of an image that cannot be decoded, and of one that kills its process. */
export const corrupt = 'corrupt'
export const killer = 'killer'

/** Like `actions/classify.ts`, but the label of an image is its content. */
export async function classify(
  params: Record<string, unknown>,
  surroundings: Environment,
  classifier: Classifier,
): Promise<object> {
  const { clock, container } = surroundings
  const began = clock.now()
  const spent = () => ({ ms: Math.max(0, clock.now() - began), container })
  if (params.describe) return { model: classifier.version(), engine: 'simulated' }
  if (params.chunk) {
    const message = params as unknown as ChunkMessage
    const answer = await piece(message, surroundings, classifier).catch((thrown) => {
      if (!(thrown instanceof WhisklensError)) throw thrown
      const { code, message: text } = thrown
      return { batch: message.batch, part: partOf(message), images: [], failure: { code, message: text } }
    })
    return { ...answer, spent: spent() }
  }
  const images = params.images as ImageRef[]
  const records = await classifyAll(images, surroundings, classifier)
  const rest = images.slice(records.length)
  return { images: records, ...(rest.length > 0 && { rest }), spent: spent() }
}

const partOf = ({ batch: _, ...part }: ChunkMessage) => part

async function piece(message: ChunkMessage, surroundings: Environment, classifier: Classifier) {
  const { batch, chunk, start, end } = message
  const results = classifier.store(surroundings).bucket(classifier.results)
  const images = (await readChunk(results, batch, chunk)).slice(start - chunk.start, end - chunk.start)
  return { batch, part: partOf(message), images: await classifyAll(images, surroundings, classifier) }
}

async function classifyAll(images: ImageRef[], surroundings: Environment, classifier: Classifier) {
  const records: ImageRecord[] = []
  const max = classifier.maxImages()
  const atOnce = 4
  while (records.length < Math.min(images.length, max)) {
    const next = images.slice(records.length, Math.min(records.length + atOnce, max))
    records.push(...(await Promise.all(next.map((image) => classifyOne(image, surroundings, classifier)))))
  }
  return records
}

async function classifyOne(
  image: ImageRef,
  surroundings: Environment,
  classifier: Classifier,
): Promise<ImageRecord> {
  const { activation, clock, process } = surroundings
  const made = {
    model: classifier.version(),
    engine: 'simulated',
    activationId: activation.id,
    at: clock.now(),
  }
  const record = initialRecord(image, made)
  try {
    const { body, etag, size, lastModified } = await classifier
      .store(surroundings)
      .bucket(image.bucket)
      .get(image.key)
    Object.assign(record, { etag, size, lastModified })
    classifier.onClassified({ ...image, etag })
    const text = body.toString('utf8')
    if (text.startsWith(killer)) {
      process.die()
      await new Promise(() => {})
    }
    if (text.startsWith(corrupt)) throw new ImageError('image_corrupt', 'It ends too early')
    const labels = [{ label: text, className: text, wordnetId: 'n1', index: 1, probability: 0.5 }]
    const timings = { download: 1, decode: 1, infer: 1 }
    return { ...record, status: 'ok', labels, width: 1, height: 1, format: 'jpeg', timings }
  } catch (thrown) {
    return { ...record, error: errorOf(thrown) }
  }
}
