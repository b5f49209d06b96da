import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ImageRecord } from '../../src/schema'
import { type Clients, clientsOf, parseLines } from '../helpers/clients'
import { startGateProxy } from '../helpers/gate-proxy'
import {
  eventually,
  newDataDir,
  type RunningLocal,
  removeDataDir,
  startLocalMode,
  whisklens,
} from '../helpers/local-mode'

/*
 * An image that is overwritten while it is classified: the labels of the newest version always win. A proxy in front of
 * the store holds single requests, so that the order of events does not depend on timing.
 */

const sample = (name: string) => readFileSync(join(__dirname, '..', '..', 'samples', name))
const [coffee, cat] = [sample('coffee.jpg'), sample('cat.jpg')]

let dataDir: string
let local: RunningLocal
let clients: Clients
let gates: Awaited<ReturnType<typeof startGateProxy>>

beforeAll(async () => {
  dataDir = await newDataDir()
  // One container for each version.
  local = await startLocalMode(dataDir, '--containers', '2')
  clients = clientsOf(local.connection)
  gates = await startGateProxy(local.connection.s3.endpoint)
  await clients.putStoreAt(gates.endpoint)
})

jest.setTimeout(180_000)

afterAll(async () => {
  await local.stop()
  await gates.close()
  await removeDataDir(dataDir)
})

const imageOf = (key: string) => new RegExp(` /images/${key}$`)
const recordOf = (key: string) => new RegExp(`/results/images/[^/]+/images/${key}$`)

/** Fields that tell the versions of an image apart. */
const seen = ({ key, etag, labels }: ImageRecord) => ({ key, etag, label: labels[0]?.label })

/** The newest record of an image. */
async function record(key: string): Promise<ImageRecord | undefined> {
  const path = (await clients.keys('images/')).find((candidate) => candidate.endsWith(`/images/${key}`))
  const text = path && (await clients.read(path))
  return text ? (JSON.parse(text) as ImageRecord) : undefined
}

const recorded = (key: string, etag: string) =>
  eventually(async () => (await record(key))?.etag === etag, `the record of ${key}`)

/** An activation of `classify`, with the sequence that contains it. */
interface Classification {
  cause?: string
  response: { result: { images?: ImageRecord[] } }
}

/** Waits until the sequence that classified a version of an image has ended. */
const reported = (key: string, etag: string) =>
  eventually(async () => {
    const query = { name: 'whisklens/classify', limit: 200, docs: true }
    const found = (await clients.ow.activations.list(query as never)) as unknown as Classification[]
    const isOfIt = (image: ImageRecord) => image.key === key && image.etag === etag
    const cause = found.find(({ response: { result } }) => result.images?.some(isOfIt))?.cause
    // A sequence has an activation record only after it has ended.
    return cause && clients.ow.activations.get({ name: cause }).catch(() => false)
  }, `the report on ${key}`)

async function results(batch: string, key: string): Promise<ImageRecord[]> {
  const { stdout } = await whisklens(['results', batch, '--prefix', key, '--json'], {
    WHISKLENS_DATA: dataDir,
  })
  return parseLines(stdout)
}

async function batch(id: string, params: object) {
  await clients.fire(id, params)
  return clients.completed(id, 90_000)
}

/** Expects the newest version in the image's record, in a batch of missing images, and in a batch of all images. */
async function expectNewest(key: string, etag: string, missing: number): Promise<void> {
  const newest = { key, etag, label: 'tiger cat' }
  if (missing === 0) expect(seen((await record(key)) as ImageRecord)).toEqual(newest)
  const next = await batch(`next-${key}`, { prefix: key })
  expect(next.totals).toMatchObject({ listed: 1, planned: missing, skipped: 1 - missing, error: 0 })
  expect(seen((await record(key)) as ImageRecord)).toEqual(newest)
  await batch(`all-${key}`, { prefix: key, force: true })
  expect((await results(`all-${key}`, key)).map(seen)).toEqual([newest])
}

async function expectNewestOfDay(key: string, etag: string): Promise<void> {
  const { at } = (await record(key)) as ImageRecord
  const ofDay = await results(`uploads-${at.slice(0, 10)}`, key)
  expect(ofDay.map(seen)).toEqual([{ key, etag, label: 'tiger cat' }])
}

describe('an uploaded image that is overwritten', () => {
  it('while it is being downloaded', async () => {
    const key = 'downloading'
    const download = gates.holdAnswer('GET', imageOf(key))
    const older = await clients.upload(key, coffee)
    await download.reached
    const newer = await clients.upload(key, cat)
    await recorded(key, newer)
    download.release()
    await reported(key, older)
    await expectNewestOfDay(key, newer)
    await expectNewest(key, newer, 0)
  })

  it('while its record is being written', async () => {
    const key = 'recording'
    const write = gates.holdRequest('PUT', recordOf(key))
    const older = await clients.upload(key, coffee)
    await write.reached
    const newer = await clients.upload(key, cat)
    await recorded(key, newer)
    write.release()
    await reported(key, older)
    await expectNewestOfDay(key, newer)
    await expectNewest(key, newer, 0)
  })

  it('and whose newer version is classified first, but reported last', async () => {
    const key = 'reporting-last'
    const download = gates.holdAnswer('GET', imageOf(key))
    const older = await clients.upload(key, coffee)
    await download.reached
    const write = gates.holdRequest('PUT', recordOf(key))
    const newer = await clients.upload(key, cat)
    await write.reached
    download.release()
    await recorded(key, older)
    write.release()
    await reported(key, newer)
    await expectNewestOfDay(key, newer)
    await expectNewest(key, newer, 0)
  })

  it('a second after it was classified', async () => {
    const key = 'second-thoughts'
    const older = await clients.upload(key, coffee)
    await recorded(key, older)
    await sleep(1000)
    const newer = await clients.upload(key, cat)
    await reported(key, newer)
    await expectNewestOfDay(key, newer)
    await expectNewest(key, newer, 0)
  })
})

describe('an image of a batch that is overwritten', () => {
  it('while it is downloaded, and reported first for its upload', async () => {
    const key = 'batch-downloading'
    const older = await clients.upload(key, coffee)
    await reported(key, older)
    const download = gates.holdAnswer('GET', imageOf(key))
    await clients.fire('slow', { prefix: key, force: true })
    await download.reached
    const newer = await clients.upload(key, cat)
    await recorded(key, newer)
    download.release()
    await clients.completed('slow')
    // A batch keeps the version it classified; the image's record has the newest one.
    expect((await results('slow', key)).map(seen)).toEqual([{ key, etag: older, label: 'espresso' }])
    await expectNewest(key, newer, 0)
  })

  it('while an older upload is still being classified', async () => {
    const key = 'batch-first'
    const download = gates.holdAnswer('GET', imageOf(key))
    const older = await clients.upload(key, coffee)
    await download.reached
    const newer = await clients.upload(key, cat)
    await batch('fast', { prefix: key, force: true })
    expect((await results('fast', key)).map(seen)).toEqual([{ key, etag: newer, label: 'tiger cat' }])
    download.release()
    await reported(key, older)
    await expectNewest(key, newer, 0)
  })
})

describe('an image that is overwritten without an event', () => {
  beforeAll(() => clients.ow.rules.disable({ name: 'on-image-uploaded' }))
  afterAll(() => clients.ow.rules.enable({ name: 'on-image-uploaded' }))

  it('while a batch downloads it is found by the next batch', async () => {
    const key = 'unseen-downloading'
    const older = await clients.upload(key, coffee)
    const download = gates.holdAnswer('GET', imageOf(key))
    await clients.fire('unaware', { prefix: key })
    await download.reached
    const newer = await clients.upload(key, cat)
    download.release()
    await clients.completed('unaware')
    expect(seen((await record(key)) as ImageRecord)).toEqual({ key, etag: older, label: 'espresso' })
    await expectNewest(key, newer, 1)
  })

  it('while an earlier download finishes last', async () => {
    const key = 'unseen-crossing'
    const params = { images: [{ bucket: 'images', key }] }
    const classify = () => clients.ow.actions.invoke({ name: 'whisklens/classify-images', params })
    const older = await clients.upload(key, coffee)
    const download = gates.holdRequest('GET', imageOf(key))
    await classify()
    await download.reached
    await classify()
    await reported(key, older)
    // Modification times have a resolution of one second.
    await sleep(1000)
    const newer = await clients.upload(key, cat)
    download.release()
    await reported(key, newer)
    await expectNewestOfDay(key, newer)
    await expectNewest(key, newer, 0)
  })

  it('a second after a batch classified it is found by the next batch', async () => {
    const key = 'unseen-second'
    await clients.upload(key, coffee)
    await batch('too-early', { prefix: key })
    await sleep(1000)
    await expectNewest(key, await clients.upload(key, cat), 1)
  })
})
