import pLimit from 'p-limit'
import { StorageError } from '../../errors'
import { putIf } from '../../storage/compare-and-swap'
import { partBytes } from '../../storage/multipart'
import type { ClosingBatch } from '../state/batch'
import { closingPrefix, type ResultsName, resultsKey, segmentKey } from '../state/layout'
import type { Lease } from '../state/lease'
import type { Context } from '../state/platform'

const contentTypes: Record<ResultsName, string> = {
  'results.jsonl': 'application/x-ndjson',
  'results.csv': 'text/csv; charset=utf-8',
  'errors.jsonl': 'application/x-ndjson',
  'index.bin': 'application/octet-stream',
}

/** Objects of at least this size are copied into an upload; smaller ones are combined first. Bytes. */
export const minUploadPart = { value: partBytes }

/** Upload parts made at once: each may be held in memory. */
const partsAtOnce = 3

interface SizedKey {
  key: string
  size: number
}

/**
 * Groups objects into the parts of an upload. One that is large enough is copied; smaller ones are combined, because a
 * store accepts a small part only as the last.
 */
export function uploadPartsOf(objects: SizedKey[], least = minUploadPart.value): SizedKey[][] {
  const parts: SizedKey[][] = []
  let small: SizedKey[] = []
  for (const object of objects) {
    if (object.size === 0) continue
    small.push(object)
    if (small.reduce((sum, { size }) => sum + size, 0) < least) continue
    parts.push(small)
    small = []
  }
  return small.length > 0 ? [...parts, small] : parts
}

/**
 * Writes files of a run with one request each, replacing those of the previous run. The lease is verified between
 * reading the etag and writing, so that a former holder cannot overwrite newer files.
 */
export async function putFiles(
  lease: Lease,
  { results }: Context,
  files: Partial<Record<ResultsName, Buffer>>,
): Promise<void> {
  const { batch } = lease.batch()
  let left = Object.entries(files) as [ResultsName, Buffer][]
  while (left.length > 0) {
    const etags = await Promise.all(left.map(([name]) => etagOf(results, resultsKey(batch, name))))
    await lease.verify()
    const written = await Promise.all(
      left.map(([name, body], index) =>
        putIf(results, resultsKey(batch, name), body, etags[index] ?? null, contentTypes[name]),
      ),
    )
    left = left.filter((_, index) => written[index] === undefined)
  }
}

const etagOf = async (results: Context['results'], key: string): Promise<string | null> =>
  (await results.head(key))?.etag ?? null

/** Joins the segments of a file into one object, copying the large ones without reading them. */
export async function joinFile(lease: Lease, context: Context, name: ResultsName): Promise<void> {
  const { results } = context
  const { batch } = lease.batch()
  const objects = await segmentsOf(lease, context, name)
  const parts = uploadPartsOf(objects)
  const read = async (keys: SizedKey[]): Promise<Buffer> =>
    Buffer.concat(await Promise.all(keys.map(async ({ key }) => (await results.get(key)).body)))
  if (parts.length <= 1) return putFiles(lease, context, { [name]: await read(parts[0] ?? []) })
  const key = resultsKey(batch, name)
  const upload = await results.beginUpload(key, contentTypes[name])
  try {
    const limit = pLimit(partsAtOnce)
    const make = async (part: SizedKey[], number: number): Promise<string> => {
      await lease.save()
      const [only] = part
      if (part.length === 1 && only && only.size >= minUploadPart.value)
        return results.copyPart(key, upload, number, only.key)
      return results.uploadPart(key, upload, number, await read(part))
    }
    const etags = await Promise.all(parts.map((part, index) => limit(make, part, index + 1)))
    const replaces = await etagOf(results, key)
    await lease.verify()
    await results.completeUpload(key, upload, etags, replaces)
  } catch (thrown) {
    // A failure here must not hide the first one.
    await results.abortUpload(key, upload).catch(() => {})
    throw thrown
  }
}

/** The published segments of a file, in order. */
async function segmentsOf(lease: Lease, { results }: Context, name: ResultsName): Promise<SizedKey[]> {
  const { batch, run, segments } = lease.batch() as ClosingBatch
  const sizes = new Map<string, number>()
  for await (const { key, size } of results.list({ prefix: `${closingPrefix(batch)}${run}-` }))
    sizes.set(key, size)
  const keys = segments.map((epoch, n) => segmentKey(batch, { run, n, epoch }, name))
  const missing = keys.find((key) => !sizes.has(key))
  if (missing !== undefined) {
    // Segments are removed after the end is announced; if another holder did that, the lease is lost.
    await lease.verify()
    throw new StorageError('object_not_found', 404, `The segment s3://${results.name}/${missing} is missing`)
  }
  return keys.map((key) => ({ key, size: sizes.get(key) ?? 0 }))
}
