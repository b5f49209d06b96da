import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = join(__dirname, '../fixtures/events')

/** Request body of a sender, as text. */
export const bodyOf = (name: string): string => readFileSync(join(folder, `${name}.json`), 'utf8')

/** Senders encode the key differently; the object's name is this one, or this one with `%25` at the end. */
const kite = {
  bucket: 'images',
  key: 'album/red kite+1.jpg',
  size: 73_120,
  etag: '5d41402abc4b2a76b9719d911017c592',
}
const heron = {
  bucket: 'images',
  key: 'album/heron.webp',
  size: 20_480,
  etag: '7d793037a0760186574b0282f2f435e7',
}
const literal = { ...kite, key: 'album/red kite+1%25.jpg' }
const { etag: _, ...withoutEtag } = literal
const { size: __, ...nameOnly } = withoutEtag

/** New images reported by each fixture. */
export const created: Record<string, object[]> = {
  's3-one-bad-record-of-three': [kite, heron],
  's3-in-sns': [kite],
  's3-in-sns-in-lambda-shape': [kite],
  's3-in-sqs': [kite, heron],
  's3-in-sns-in-sqs': [kite],
  's3-in-sqs-through-a-pipe': [kite, heron],
  's3-in-pubsub-push': [kite],
  's3-test': [],
  's3-tag': [],
  eventbridge: [literal],
  minio: [literal],
  'ceph-rgw': [{ ...literal, size: 90_210 }],
  'cloudflare-r2': [literal],
  'cloudflare-r2-queue-batch': [{ ...heron, size: 9_120_000, etag: '9f86d081-3' }],
  'backblaze-b2': [withoutEtag],
  'backblaze-b2-test': [],
  'gcs-eventarc': [withoutEtag],
  'gcs-pubsub-push': [nameOnly],
  'oracle-object-storage': [nameOnly],
  'ibm-cos': [{ ...literal, lastModified: '2026-10-04T08:15:30.000Z' }],
}

/** Fixtures in formats that are not supported. */
export const unknownShapes = ['azure-event-grid']

export const fixtureNames = readdirSync(folder).map((file) => file.replace(/\.json$/, ''))
