import pLimit from 'p-limit'
import { messageOf } from '../../errors'
import { log } from '../../log'
import { siblingAction } from '../../openwhisk/activation'
import type { ExifOption, Range } from '../../schema'
import { readChunk } from '../records/chunks'
import { writePart } from '../records/parts'
import { initialRecord } from '../records/record'
import { storeRecord } from '../records/retry'
import type { OpenBatch, Piece } from '../state/batch'
import { refusalOf } from '../state/hand-over'
import type { Chunk } from '../state/layout'
import type { Context } from '../state/platform'
import type { Sent } from './decide'

/** The message to `classify` for a piece: positions `start` to `end` of a chunk. */
export interface ChunkMessage extends Range {
  batch: string
  chunk: Chunk
  model: string
  /** The lease epoch of the dispatch: failures do not count against later epochs. */
  by: number
  exif?: ExifOption
  /** Write labels to the images' tags. */
  tag?: boolean
}

/** Concurrent invocations, before and after the platform's limit is known. Refused ones count against the limit too. */
const invocationsAtOnce = { unknown: 8, known: 32 }

/** Invokes `classify-images` for pieces concurrently. After a refusal the remaining pieces are not sent. */
export async function dispatch(batch: OpenBatch, pieces: Piece[], context: Context): Promise<Sent[]> {
  const { openwhisk, activation } = context
  const { exif, tag } = batch.request
  const sequence = siblingAction(activation, 'classify-images')
  const limit = pLimit(batch.dispatch.window.isKnown ? invocationsAtOnce.known : invocationsAtOnce.unknown)
  let refusal: Sent['refusal']
  const send = async (piece: Piece): Promise<Sent> => {
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
      log.info({ batch: batch.batch, reason: messageOf(thrown) }, 'the platform refused an invocation')
      return { piece, refusal }
    }
  }
  const sent = await Promise.allSettled(pieces.map((piece) => limit(send, piece)))
  return sent.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason
    return outcome.value
  })
}

/** Records images that no activation reported as errors. */
export async function reportLost(batch: OpenBatch, lost: Piece[], context: Context): Promise<void> {
  const { store, results, activation, clock } = context
  for (const { chunk, start, attempts } of lost) {
    const image = (await readChunk(results, batch.batch, chunk))[start - chunk.start]
    if (!image) continue
    log.warn({ batch: batch.batch, key: image.key }, 'an image was lost')
    // Use the current version: a retry note of an older version must not replace a newer one.
    const current = await store.bucket(image.bucket).head(image.key)
    const record = initialRecord(current ? { ...image, ...current } : image, {
      model: batch.model.modelVersion,
      engine: 'none',
      activationId: activation.id,
      at: clock.now(),
    })
    const message = 'No activation that tried to classify this image reported a result'
    record.error = { code: 'lost', message, retryable: true, attempts }
    await storeRecord(context, record)
    await writePart(results, batch.batch, start, [record], activation.id)
  }
}
