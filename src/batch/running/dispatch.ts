import pLimit from 'p-limit'
import { messageOf } from '../../errors'
import { log } from '../../log'
import { siblingAction } from '../../openwhisk/activation'
import type { ExifOption, Range } from '../../schema'
import { readChunk } from '../records/chunks'
import { writePart } from '../records/parts'
import { unknownRecord } from '../records/record'
import { keepRecord } from '../records/retry'
import type { OpenBatch, Piece } from '../state/batch'
import { refusalOf } from '../state/hand-over'
import type { Chunk } from '../state/layout'
import type { Context } from '../state/platform'
import type { Sent } from './decide'

/** What `classify` is given for a piece of a batch: positions `start` to `end` of the chunk that holds them. */
export interface ChunkMessage extends Range {
  batch: string
  chunk: Chunk
  model: string
  /** The epoch in which it is given out: a failure counts against no later one. */
  by: number
  exif?: ExifOption
  /** What is found is to be written to the images' tags. */
  tag?: boolean
}

/** So many invocations are made at a time. All of them may be refused, and count against the minute. */
const atOnce = { unknown: 8, known: 32 }

/** Gives pieces to `classify-images`, many at a time. What is refused is told, and nothing more is asked for then. */
export async function dispatch(batch: OpenBatch, pieces: Piece[], context: Context): Promise<Sent[]> {
  const { openwhisk, activation } = context
  const { exif, tag } = batch.request
  const sequence = siblingAction(activation, 'classify-images')
  const limit = pLimit(batch.dispatch.window.isKnown ? atOnce.known : atOnce.unknown)
  let refusal: Sent['refusal']
  const give = async (piece: Piece): Promise<Sent> => {
    if (refusal) return { piece, refusal }
    const { start, end, chunk, by } = piece
    const message: ChunkMessage = {
      batch: batch.batch,
      by,
      chunk,
      start,
      end,
      model: batch.model.model,
      exif,
      tag: tag || undefined,
    }
    try {
      return { piece, activationId: await openwhisk.invoke(sequence, message) }
    } catch (thrown) {
      refusal = refusalOf(thrown, context)
      log.info({ batch: batch.batch, reason: messageOf(thrown) }, 'the platform has no room')
      return { piece, refusal }
    }
  }
  const sent = await Promise.allSettled(pieces.map((piece) => limit(give, piece)))
  return sent.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason
    return outcome.value
  })
}

/** Reports single images that no activation has: each is an error. */
export async function reportLost(batch: OpenBatch, lost: Piece[], context: Context): Promise<void> {
  const { store, results, activation, clock } = context
  for (const { chunk, start, attempts } of lost) {
    const image = (await readChunk(results, batch.batch, chunk))[start - chunk.start]
    if (!image) continue
    log.warn({ batch: batch.batch, key: image.key }, 'an image was lost')
    // As it is now: the note of an older version must not replace that of a newer one.
    const there = await store.bucket(image.bucket).head(image.key)
    const record = unknownRecord(there ? { ...image, ...there } : image, {
      model: batch.model.modelVersion,
      engine: 'none',
      activationId: activation.id,
      at: clock.now(),
    })
    const message = 'Every activation that was given this image ended without a report'
    record.error = { code: 'lost', message, retryable: true, attempts }
    await keepRecord(context, record)
    await writePart(results, batch.batch, start, [record], activation.id)
  }
}
