import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BatchSummary, ImageRecord } from '../../src/schema'
import { type Clients, clientsOf, parseLines } from '../helpers/clients'
import { sample, sampleNames } from '../helpers/images'
import {
  eventually,
  newDataDir,
  type RunningLocal,
  removeDataDir,
  startLocalMode,
  whisklens,
} from '../helpers/local-mode'
import { removeSmallNetworks, smallNetworks } from '../helpers/small-networks'

/*
 * Several models over the same images: the built-in ones, a user-defined one, and a real MobileNet if its weights are
 * beside the checkout.
 */

const weights = join(__dirname, '..', '..', '..', 'shared', 'models', 'mobilenet_v1_0.25_224')
const defaultModel = 'efficientnet-lite0-int8'
/** A small network that outputs logits. */
const network = (name: keyof typeof smallNetworks): string => {
  const folder = (smallNetworks[name] as () => string)()
  const path = join(folder, 'whisklens.json')
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), logits: true }))
  return folder
}
const saved = { ...process.env }

let dataDir: string
let local: RunningLocal
let clients: Clients
let models: string[]

/** Runs a Whisklens command against the local mode. */
async function run(...args: string[]) {
  const done = await whisklens(args, { WHISKLENS_DATA: dataDir })
  if (done.code !== 0) throw new Error(`whisklens ${args.join(' ')} ended with ${done.code}: ${done.stderr}`)
  return done
}

const runBatch = async (batch: string, ...args: string[]): Promise<BatchSummary> =>
  JSON.parse((await run('batch', 'photos/', '--batch', batch, '--json', '--quiet', ...args)).stdout)

const resultsOf = async (batch: string): Promise<ImageRecord[]> =>
  parseLines((await run('results', batch, '--json', '--quiet')).stdout)

/** Number of records by model version. */
const recorded = async (): Promise<Map<string, number>> => {
  const counts = new Map<string, number>()
  for (const key of await clients.keys('images/')) {
    const version = key.split('/')[1] ?? ''
    counts.set(version, (counts.get(version) ?? 0) + 1)
  }
  return counts
}

beforeAll(async () => {
  dataDir = await newDataDir()
  process.env.WHISKLENS_MODELS = join(dataDir, 'models')
  await run('model', 'add', network('strides over an odd size'), '--id', 'mine')
  if (existsSync(weights)) await run('model', 'add', 'mobilenet-v1-0.25-layers', '--from', weights)
  const listed = parseLines<{ id: string; state: string }>((await run('model', 'list', '--json')).stdout)
  models = listed.filter(({ state }) => state !== 'available').map(({ id }) => id)
  local = await startLocalMode(dataDir)
  clients = clientsOf(local.connection)
  for (const name of sampleNames) await clients.upload(`photos/${name}.jpg`, sample(name))
  // Uploads are classified with the default model.
  await eventually(async () => [...(await recorded()).values()][0] === sampleNames.length, 'the uploads')
})

jest.setTimeout(300_000)

afterAll(async () => {
  process.env = { ...saved }
  await local.stop()
  await removeDataDir(dataDir)
  removeSmallNetworks()
})

it('each model labels all images, alongside the results of the others', async () => {
  expect(models).toEqual(expect.arrayContaining([defaultModel, 'mine']))
  const firsts = new Map<string, string[]>()
  for (const model of models) {
    const summary = await runBatch(`all-${model}`, '--model', model, '--force')
    expect(summary.totals).toMatchObject({ planned: sampleNames.length, ok: sampleNames.length, error: 0 })
    const records = await resultsOf(`all-${model}`)
    expect(new Set(records.map((record) => record.model.split('@')[0]))).toEqual(new Set([model]))
    firsts.set(
      model,
      records.map(({ labels: [first] }) => first?.label ?? ''),
    )
  }
  expect(firsts.get(defaultModel)).toEqual(expect.arrayContaining(['espresso', 'tripod']))
  for (const label of firsts.get('mine') ?? []) expect(label).toMatch(/^class [0-3]$/)
  if (existsSync(weights))
    expect(firsts.get('mobilenet-v1-0.25-layers')).toEqual(expect.arrayContaining(['espresso', 'tripod']))
  expect(
    [...(await recorded()).entries()].map(([version, count]) => [version.split('@')[0], count]).sort(),
  ).toEqual(models.map((model) => [model, sampleNames.length]).sort())
})

it('switching models classifies only what the new model has not seen', async () => {
  for (const model of models) {
    const { totals } = await runBatch(`again-${model}`, '--model', model)
    expect(totals).toMatchObject({ planned: 0, skipped: sampleNames.length })
  }
  await clients.upload('photos/new.jpg', sample('cat'))
  const versions = [...(await recorded()).keys()]
  const ofDefault = versions.find((version) => version.startsWith(`${defaultModel}@`)) ?? ''
  await eventually(async () => (await recorded()).get(ofDefault) === sampleNames.length + 1, 'the upload')
  const { totals } = await runBatch('new-mine', '--model', 'mine')
  expect(totals).toMatchObject({ planned: 1, skipped: sampleNames.length, ok: 1 })
})

it('a changed model is another one: it classifies everything, and old records stay', async () => {
  const before = await recorded()
  await run('model', 'add', network('two filters for each channel'), '--id', 'mine', '--force')
  // Warm containers would keep loaded models.
  await local.stop()
  local = await startLocalMode(dataDir)
  clients = clientsOf(local.connection)
  const { totals, model } = await runBatch('changed-mine', '--model', 'mine')
  expect(totals).toMatchObject({ planned: sampleNames.length + 1, skipped: 0, ok: sampleNames.length + 1 })
  expect([...before.keys()]).not.toContain(model)
  const after = await recorded()
  for (const [version, count] of before) expect(after.get(version)).toBe(count)
})

it('a batch with a missing model is stopped before listing', async () => {
  const { code, stdout } = await whisklens(['batch', 'photos/', '--model', 'nonsense', '--json'], {
    WHISKLENS_DATA: dataDir,
  })
  expect(code).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject({
    state: 'stopped',
    reason: expect.stringContaining('There is no model "nonsense"'),
    totals: { listed: 0, planned: 0 },
    errors: {},
  })
})
