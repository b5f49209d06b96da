import type { ImageRecord } from '../../schema'
import type { Bucket } from '../../storage/store'
import { fromJsonLines, toJsonLines } from '../json-lines'
import { partsPrefix } from '../layout'
import { toMetadata, type Usage, usageOf } from '../summary/usage'
import { uploadsBatch } from './day'

/** The records that one activation added to one day. */
export interface UploadsPart {
  batch: string
  /** Below the batch's parts; sorts by the time of writing, so that what is new comes last in a listing. */
  name: string
  records: ImageRecord[]
  usage?: Usage
}

/** The name of a part written at that time; without an activation, one that sorts before all of that time. */
export const partNameAt = (time: number, activationId = ''): string =>
  `${new Date(time).toISOString().replace(/[:.]/g, '-')}-${activationId}.jsonl`

/**
 * Writes one activation's records as a part of each day they belong to.
 * @param usage what the activation used, counted with the first of the days
 */
export async function writeUploadParts(
  results: Bucket,
  records: ImageRecord[],
  activationId: string,
  usage?: Usage,
): Promise<UploadsPart[]> {
  const parts: UploadsPart[] = []
  for (const batch of [...new Set(records.map(({ at }) => uploadsBatch(at)))].sort()) {
    const part = {
      batch,
      name: partNameAt(Date.now(), activationId),
      records: records.filter(({ at }) => uploadsBatch(at) === batch),
      usage: parts.length === 0 ? usage : undefined,
    }
    await results.put(partsPrefix(batch) + part.name, toJsonLines(part.records), {
      contentType: 'application/x-ndjson',
      metadata: part.usage && toMetadata(part.usage),
    })
    parts.push(part)
  }
  return parts
}

/** What a listing tells of a part. */
export interface ListedPart {
  name: string
  bytes: number
}

/** The parts of a day whose names come after a given one. */
export async function* listUploadParts(
  results: Bucket,
  batch: string,
  after: string,
): AsyncGenerator<ListedPart> {
  const prefix = partsPrefix(batch)
  for await (const { key, size } of results.list({ prefix, startAfter: prefix + after })) {
    yield { name: key.slice(prefix.length), bytes: size }
  }
}

export async function readUploadPart(
  results: Bucket,
  batch: string,
  { name }: Pick<ListedPart, 'name'>,
): Promise<UploadsPart> {
  const { body, metadata } = await results.get(partsPrefix(batch) + name)
  return { batch, name, records: fromJsonLines(body), usage: usageOf(metadata) }
}
