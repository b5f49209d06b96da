import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pLimit from 'p-limit'
import sharp from 'sharp'
import { writePart } from '../../src/batch/records/parts'
import type { BatchSummary, ImageRecord } from '../../src/schema'
import type { Bucket, Store } from '../../src/storage/store'
import { type Random, seeded } from '../simulation/random'
import { closeBatch, doneBatch } from '../unit/batch-fixtures'

/* Closed batches of any size with generated records. The closing is real. */

const root = join(__dirname, '..', '..')
const perPart = 1000
const model = 'efficientnet-lite0@0a1b2c3d'
const cameras = ['Canon EOS R5', 'NIKON Z 6', 'SONY ILCE-7M4', 'Apple iPhone 15', 'Google Pixel 8']
const errors = [
  ['image_corrupt', 'The JPEG ends before its last row'],
  ['image_unsupported', 'an HTML page, not an image'],
  ['image_too_large', 'The file has 93412345 bytes'],
] as const

type Label = ImageRecord['labels'][number]

/** All labels of the built-in model, most frequent first. */
function labelsOfModel(random: Random): Omit<Label, 'probability'>[] {
  const classes: { wordnetId: string; className: string }[] = JSON.parse(
    readFileSync(join(root, 'models', 'efficientnet-lite0', 'labels.json'), 'utf8'),
  )
  return classes
    .map((one, index) => ({ ...one, index, label: one.className.split(',')[0] as string }))
    .map((label) => ({ label, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ label }) => label)
}

/** Five labels; low numbers are far more frequent, as in typical photo collections. */
function draw(labels: Omit<Label, 'probability'>[], random: Random): Label[] {
  const chosen = new Set<number>()
  while (chosen.size < 5) chosen.add(Math.floor(labels.length * random.next() ** 3))
  let left = 1
  return [...chosen].map((at, rank) => {
    const share = rank === 0 ? 0.15 + 0.84 * random.next() ** 0.7 : 0.3 + 0.4 * random.next()
    const probability = Math.round(left * share * 1e4) / 1e4
    left -= probability
    return { ...(labels[at] as Omit<Label, 'probability'>), probability }
  })
}

const twoDigits = (value: number): string => String(value).padStart(2, '0')

/** Key of a row; keys are in byte order. */
export const madeKey = (row: number): string => {
  const [month, day] = [1 + (Math.floor(row / 9000) % 12), 1 + (Math.floor(row / 300) % 28)]
  return `photos/${String(row).padStart(6, '0')}-${twoDigits(month)}-${twoDigits(day)}/IMG ${row}.jpg`
}

/** Key of a row's thumbnail. */
const thumbnailKey = (key: string): string =>
  `thumbnails/images/${createHash('sha256').update(key).digest('hex').slice(0, 32)}.webp`

interface Picture {
  body: Buffer
  width: number
  height: number
}

/** The samples at thumbnail size. */
async function samplePictures(format: 'webp' | 'jpeg', side: number): Promise<Picture[]> {
  const folder = join(root, 'samples')
  const names = readdirSync(folder).filter((name) => name.endsWith('.jpg'))
  return Promise.all(
    names.map(async (name) => {
      const picture = sharp(join(folder, name)).resize(side, side, { fit: 'inside' })
      const { data, info } = await picture
        .toFormat(format, { quality: 70 })
        .toBuffer({ resolveWithObject: true })
      return { body: data, width: info.width, height: info.height }
    }),
  )
}

export interface MadeOptions {
  batch: string
  records: number
  /** Number of rows with their own thumbnail; the other rows share them. 0 for an old gallery without thumbnails. */
  thumbnails: number
  /** Number of rows whose originals are in the images bucket. */
  originals: number
  seed?: number
  startedAt?: string
}

function* madeRecords({ records, thumbnails, seed = 1 }: MadeOptions, pictures: Picture[]) {
  const random = seeded(seed)
  const labels = labelsOfModel(random.fork('labels'))
  for (let row = 0; row < records; row++) {
    const key = madeKey(row)
    const failed = random.chance(0.005) ? random.pick(errors) : undefined
    const at = row % pictures.length
    const { body, width, height } = pictures[at] as Picture
    const shared = madeKey(at)
    const thumbnail = {
      key: thumbnailKey(row < thumbnails ? key : shared),
      width,
      height,
      bytes: body.length,
    }
    const takenAt = new Date(Date.UTC(2026, 0, 1) + row * 300_000).toISOString().slice(0, 19)
    const record: ImageRecord = {
      schema: 'whisklens.record/1',
      bucket: 'images',
      key,
      etag: createHash('md5').update(key).digest('hex'),
      size: 2_000_000 + random.between(0, 4_000_000),
      lastModified: '2026-11-22T07:00:00.000Z',
      model,
      engine: 'onnx',
      status: failed ? 'error' : 'ok',
      labels: failed ? [] : draw(labels, random),
      width: failed ? null : 12 * width,
      height: failed ? null : 12 * height,
      format: failed ? null : 'jpeg',
      ...(!failed && { exif: { takenAt, camera: random.pick(cameras) } }),
      ...(!failed && thumbnails > 0 && { thumbnail }),
      ...(failed && { error: { code: failed[0], message: failed[1], retryable: false, attempts: 1 } }),
      timings: {
        download: random.between(5, 60),
        decode: random.between(10, 90),
        infer: random.between(9, 30),
      },
      activationId: 'a'.repeat(32),
      at: '2026-11-22T07:30:00.000Z',
    }
    yield record
  }
}

/**
 * Writes a closed batch, with pictures of the samples for the first rows.
 * @param store store with both buckets
 */
export async function makeBatch(
  store: Store,
  { images, results }: { images: Bucket; results: Bucket },
  options: MadeOptions,
): Promise<BatchSummary> {
  const { batch, records, thumbnails, originals, startedAt = '2026-11-22T07:29:00.000Z' } = options
  const [small, large] = await Promise.all([samplePictures('webp', 320), samplePictures('jpeg', 1280)])
  const limited = pLimit(8)
  const writes: Promise<unknown>[] = []
  const put = (bucket: Bucket, key: string, body: Buffer, contentType: string): void =>
    void writes.push(limited(() => bucket.put(key, body, { contentType })))
  let part: ImageRecord[] = []
  let start = 0
  const flush = async (): Promise<void> => {
    await writePart(results, batch, start, part, 'b'.repeat(32))
    start += part.length
    part = []
  }
  for (const record of madeRecords(options, small)) {
    part.push(record)
    if (part.length === perPart) await flush()
  }
  if (part.length > 0) await flush()
  for (let row = 0; row < Math.min(records, thumbnails); row++)
    put(results, thumbnailKey(madeKey(row)), (small[row % small.length] as Picture).body, 'image/webp')
  for (let row = 0; row < Math.min(records, originals); row++)
    put(images, madeKey(row), (large[row % large.length] as Picture).body, 'image/jpeg')
  await Promise.all(writes)
  return closeBatch(store, results, {
    ...doneBatch('images', records, { batch, startedAt }),
    model: { model: 'efficientnet-lite0', modelVersion: model },
  })
}
