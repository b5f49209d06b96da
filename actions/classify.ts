// First, because it takes as long as everything else.
import '../src/classifier/inference/begin'

import { randomBytes } from 'node:crypto'
import { type ClassifyOptions, classifyImages } from '../src/batch/classify/classify-images'
import {
  type ChunkMessage,
  chunkSchema,
  describeSchema,
  inlineSchema,
  listSchema,
} from '../src/batch/classify/messages'
import { readChunk } from '../src/batch/records/chunks'
import { uploadsBatch } from '../src/batch/uploads/day'
import { classifyImage } from '../src/classifier/classify'
import { decoder, warnIfOnlyJpeg } from '../src/classifier/decode'
import { loadIsolated } from '../src/classifier/inference/load'
import { imageBytes } from '../src/classifier/inline-image'
import type { LoadedModel } from '../src/classifier/load'
import { stage } from '../src/classifier/stage'
import { isoOf } from '../src/clock'
import { type Settings, settingsFromParams } from '../src/config'
import { InvalidInputError, WhisklensError } from '../src/errors'
import { log, logged } from '../src/log'
import { wrapAction } from '../src/openwhisk/action'
import { currentActivation } from '../src/openwhisk/activation'
import type { ImageRef } from '../src/schema'
import { parseEvent } from '../src/storage/events'
import { openStore } from '../src/storage/store'

/** Labels in the result of an inline image; records have more. */
const inlineLabels = 3

/** Identifies this container: the code of an action is loaded once per container. */
const container = randomBytes(4).toString('hex')

/**
 * Classifies one image in base64 (`image`), images of the object store (`images`), a piece of a batch (`batch`,
 * `chunk`, `start`, `end`), or the images of an S3 or COS notification. `describe` returns the model, engine and
 * decoder. Records come with their cost: `spent: {ms, container}`.
 */
export const main = wrapAction((params) =>
  logged({ batch: subjectOf(params) }, () => stage('main', () => classify(params))),
)

/** The batch of a message: notifications belong to the uploads of the day. */
function subjectOf({ batch, image, describe }: Record<string, unknown>): string | undefined {
  if (typeof batch === 'string') return batch
  return image === undefined && describe === undefined ? uploadsBatch(isoOf(Date.now())) : undefined
}

async function classify(params: Record<string, unknown>): Promise<object> {
  const started = performance.now()
  const spent = () => ({ ms: Math.round(performance.now() - started), container })
  const settings = settingsFromParams({ ...params, defaultModel: params.model || params.defaultModel })
  warnIfOnlyJpeg()
  const loading = loadIsolated(settings.model, settings.engine)
  // Awaited below; a message that cannot be parsed does not need it.
  loading.catch(() => {})
  const inline = inlineSchema.safeParse(params)
  if (inline.success) return classifyInline(await loading, inline.data.image)
  if (describeSchema.safeParse(params).success) {
    const { task, folder, engine } = await loading
    await task.warmUp()
    return { model: folder.version, engine, decoder }
  }
  const chunk = chunkSchema.safeParse(params)
  if (chunk.success) return { ...(await classifyPiece(loading, settings, chunk.data)), spent: spent() }
  const list = listSchema.safeParse(params)
  const images = list.success ? list.data.images : imagesOf(params)
  const records = await classifyAll(loading, settings, images, { includesRest: true })
  const rest = images.slice(records.length)
  return { images: records, ...(rest.length > 0 && { rest }), spent: spent() }
}

/** The images of a notification. @throws InvalidInputError for any other message */
function imagesOf(params: Record<string, unknown>): ImageRef[] {
  try {
    const { events, refused } = parseEvent(params)
    if (refused.length > 0) log.warn({ refused }, 'part of a notification was refused')
    return events.filter(({ removed }) => !removed)
  } catch (cause) {
    throw new InvalidInputError('bad_parameter', 'Expected an image to classify', {
      hint: 'Pass image (base64), images ([{bucket, key}]), bucket and key, or a notification of a bucket.',
      cause,
    })
  }
}

async function classifyInline(model: LoadedModel, text: string): Promise<object> {
  const { labels } = await classifyImage(model, imageBytes(text), inlineLabels)
  return { results: labels.map(({ className, probability }) => ({ className, probability })) }
}

/** Passes on a systemic failure as data: an `error` would end the sequence before `aggregate` could report it. */
async function classifyPiece(model: Promise<LoadedModel>, settings: Settings, message: ChunkMessage) {
  try {
    return await classifyChunk(model, settings, message)
  } catch (thrown) {
    if (!(thrown instanceof WhisklensError)) throw thrown
    const { code, message: text } = thrown
    log.warn({ code, reason: text }, 'the images were not classified')
    const part = partOf(settings, message)
    return { batch: message.batch, part, images: [], failure: { code, message: text } }
  }
}

/** The piece as reported. */
const partOf = ({ model }: Settings, { batch: _, ...part }: ChunkMessage) => ({
  ...part,
  model,
})

async function classifyChunk(model: Promise<LoadedModel>, settings: Settings, message: ChunkMessage) {
  const { batch, chunk, start, end, exif } = message
  const results = openStore(settings).bucket(settings.resultsBucket)
  const images = (await readChunk(results, batch, chunk)).slice(start - chunk.start, end - chunk.start)
  return {
    batch,
    part: partOf(settings, message),
    images: await classifyAll(model, settings, images, { exif }),
  }
}

function classifyAll(
  model: Promise<LoadedModel>,
  settings: Settings,
  images: ImageRef[],
  options: Pick<ClassifyOptions, 'includesRest' | 'exif'>,
) {
  const { id, deadline } = currentActivation()
  const store = openStore(settings)
  const thumbnails = settings.thumbnails === 'true' ? store.bucket(settings.resultsBucket) : undefined
  return classifyImages(images, { model, store, activationId: id, deadline, thumbnails, ...options })
}
