import { execFileSync } from 'node:child_process'
import S3 from 'ibm-cos-sdk/clients/s3'
import openwhisk from 'openwhisk'
import pLimit from 'p-limit'
import type { BatchSummary, ImageRecord } from '../../src/schema'
import { startChaosProxy } from '../helpers/chaos-proxy'
import {
  eventually,
  newDataDir,
  type RunningLocal,
  removeDataDir,
  startLocalMode,
} from '../helpers/local-mode'
import { photo } from '../helpers/photos'

/** `npm run check:full` runs these at the size they promise. */
const images = process.env.WHISKLENS_FULL ? 2000 : 160

/** A container dies each time so many records were written: by progress, not by time, whatever the machine's speed. */
const recordsPerKill = 10
let isKilling = false
let written = 0

let dataDir: string
let local: RunningLocal
let proxy: Awaited<ReturnType<typeof startChaosProxy>> | undefined

/** Past the proxy: what the tests themselves ask must not fail. */
const storeOf = ({ s3: { endpoint, region, accessKeyId, secretAccessKey } }: RunningLocal['connection']) =>
  new S3({ endpoint, region, accessKeyId, secretAccessKey, s3ForcePathStyle: true, signatureVersion: 'v4' })

const openwhiskOf = ({ apiHost, auth }: RunningLocal['connection']) =>
  openwhisk({ apihost: apiHost, api_key: auth })

/** All actions reach the store through a proxy that fails now and then. */
async function putFaultsBeforeTheStore(): Promise<void> {
  proxy = await startChaosProxy(local.connection.s3.endpoint, { unavailable: 0.05, cut: 0.01 }, (line) => {
    if (!isKilling || !line.startsWith('PUT /results/images/')) return
    if (++written % recordsPerKill === 0) killOneContainer()
  })
  const { endpoint } = proxy
  const client = openwhiskOf(local.connection)
  const { parameters = [], version } = await client.packages.get({ name: 'whisklens' })
  const changed = parameters.map((one) => (one.key === 's3Endpoint' ? { ...one, value: endpoint } : one))
  await client.packages.update({ name: 'whisklens', package: { version, parameters: changed } } as never)
}

/** Process ids of the action containers below this local mode. */
function containers(): number[] {
  const rows = execFileSync('ps', ['-eo', 'pid,ppid,args']).toString().split('\n')
  return rows
    .map((row) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row))
    .filter((row) => row?.[2] === String(local.process.pid) && row[3]?.includes('runtime.cjs'))
    .map((row) => Number(row?.[1]))
}

function killOneContainer(): void {
  const running = containers()
  const victim = running[Math.floor(Math.random() * running.length)]
  try {
    if (victim) process.kill(victim, 'SIGKILL')
  } catch {
    // It ended by itself.
  }
}

async function uploadPhotos(): Promise<void> {
  const s3 = storeOf(local.connection)
  const limit = pLimit(4)
  await Promise.all(
    Array.from({ length: images }, (_, number) =>
      limit(async () => {
        const Key = `photos/${String(number).padStart(5, '0')}.jpg`
        await s3.putObject({ Bucket: 'images', Key, Body: await photo(number) }).promise()
      }),
    ),
  )
}

async function read(key: string): Promise<string | undefined> {
  const answer = await storeOf(local.connection)
    .getObject({ Bucket: 'results', Key: key })
    .promise()
    .catch(() => undefined)
  return answer && String(answer.Body)
}

const summaryOf = async (batch: string) =>
  JSON.parse((await read(`batches/${batch}/summary.json`)) ?? 'null') as BatchSummary | null

const fire = (batch: string, params: object) =>
  openwhiskOf(local.connection).triggers.invoke({ name: 'batch-requested', params: { batch, ...params } })

async function completed(batch: string): Promise<BatchSummary> {
  return eventually(
    async () => {
      const summary = await summaryOf(batch)
      return summary?.state === 'complete' && summary
    },
    `batch ${batch}`,
    1_800_000,
  )
}

async function outcomes(batch: string) {
  const lines = ((await read(`batches/${batch}/results.jsonl`)) ?? '').split('\n').filter(Boolean)
  return lines.map((line) => JSON.parse(line) as ImageRecord)
}

/** What must be the same whatever happened on the way. */
const essence = (records: ImageRecord[]) =>
  records.map(({ timings: _, activationId: __, at: ___, error, ...rest }) => ({
    ...rest,
    error: error?.code,
  }))

beforeEach(async () => {
  dataDir = await newDataDir()
  local = await startLocalMode(dataDir)
})

afterEach(async () => {
  await local.stop()
  await proxy?.close()
  proxy = undefined
  await removeDataDir(dataDir)
})

it('ends every image exactly once while containers are killed and the store fails', async () => {
  await putFaultsBeforeTheStore()
  await uploadPhotos()
  await fire('calm', { prefix: 'photos/', force: true })
  const calm = await completed('calm')
  isKilling = true
  await fire('chaos', { prefix: 'photos/', force: true })
  const summary = await completed('chaos').finally(() => {
    isKilling = false
  })
  expect(summary.totals).toMatchObject({ planned: images, ok: images, error: 0, pending: 0 })
  expect(summary.labels).toEqual(calm.labels)
  const records = await outcomes('chaos')
  expect(new Set(records.map(({ key }) => key)).size).toBe(images)
  expect(essence(records)).toEqual(essence(await outcomes('calm')))
}, 1_800_000)

it('ends every image exactly once when the host is killed half-way and started again', async () => {
  await uploadPhotos()
  await fire('killed', { prefix: 'photos/', force: true })
  await eventually(
    async () => ((await summaryOf('killed'))?.totals.ok ?? 0) > images / 2,
    'half of the batch',
  )
  await local.stop('SIGKILL')
  local = await startLocalMode(dataDir)
  const summary = await completed('killed')
  expect(summary.totals).toMatchObject({ planned: images, ok: images, error: 0, pending: 0 })
  const records = await outcomes('killed')
  expect(new Set(records.map(({ key }) => key)).size).toBe(images)
  await fire('again', { prefix: 'photos/' })
  expect((await completed('again')).totals).toMatchObject({ planned: 0, skipped: images })
}, 1_800_000)

it('ends every image exactly once when each event comes twice, shuffled', async () => {
  await uploadPhotos()
  const day = `uploads-${new Date().toISOString().slice(0, 10)}`
  await eventually(async () => ((await summaryOf(day))?.totals.ok ?? 0) >= images, 'the uploads', 600_000)
  const { apiHost } = local.connection
  const { parameters = [] } = await openwhiskOf(local.connection).packages.get({ name: 'whisklens' })
  const token = parameters.find(({ key }) => key === 'eventsToken')?.value
  const events = Array.from({ length: images }, (_, number) => ({
    eventName: 'ObjectCreated:Put',
    s3: { bucket: { name: 'images' }, object: { key: `photos/${String(number).padStart(5, '0')}.jpg` } },
  })).sort(() => Math.random() - 0.5)
  const limit = pLimit(2)
  await Promise.all(
    Array.from({ length: images / 20 }, (_, index) =>
      limit(async () => {
        const answer = await fetch(`${apiHost}/api/v1/web/guest/whisklens/bucket-events`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
          body: JSON.stringify({ Records: events.slice(index * 20, index * 20 + 20) }),
        })
        expect(answer.status).toBe(200)
      }),
    ),
  )
  await eventually(async () => ((await summaryOf(day))?.totals.ok ?? 0) >= 2 * images, 'the repeats', 600_000)
  await fire('after', { prefix: 'photos/' })
  expect((await completed('after')).totals).toMatchObject({ listed: images, planned: 0, skipped: images })
}, 1_800_000)
