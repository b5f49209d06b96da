import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clients, clientsOf, parseLines } from '../helpers/clients'
import { sample, sampleLabels } from '../helpers/images'
import {
  newDataDir,
  type RunningLocal,
  removeDataDir,
  startLocalMode,
  whisklens,
} from '../helpers/local-mode'

/* Batches of lists, with the command line, real actions and real photos. */

let dataDir: string
let local: RunningLocal
let clients: Clients

beforeAll(async () => {
  dataDir = await newDataDir()
  local = await startLocalMode(dataDir, '--containers', '2')
  clients = clientsOf(local.connection)
  for (const [key, name] of Object.entries(photos)) await clients.upload(key, sample(name))
})

jest.setTimeout(300_000)

afterAll(async () => {
  await local.stop()
  await removeDataDir(dataDir)
})

const photos = { 'in/a red cat.jpg': 'cat', 'in/cup.JPG': 'coffee', 'in/tower.png': 'rocket' }

const results = async (batch: string) =>
  parseLines<{ key: string; labels: { label: string }[]; error?: { code: string } }>(
    (await clients.read(`batches/${batch}/results.jsonl`)) ?? '',
  ).map(({ key, labels, error }) => [key, labels[0]?.label ?? error?.code])
const labelOf = (name: string) => sampleLabels(name)[0]?.[0]

it('classifies the images on a list, each once, and reports missing ones', async () => {
  const list = join(dataDir, 'inventory.csv')
  const line = (key: string) => `"images","${encodeURIComponent(key)}","9","2026-11-20T10:00:00.000Z"\n`
  await writeFile(list, ['in/cup.JPG', 'in/a red cat.jpg', 'in/gone.jpg', 'in/cup.JPG'].map(line).join(''))
  const { code, stdout } = await whisklens([
    'batch',
    '--manifest',
    list,
    '--batch',
    'listed',
    '--force',
    '--json',
    '--data',
    dataDir,
  ])
  expect(JSON.parse(stdout)).toMatchObject({ state: 'complete', totals: { listed: 3, ok: 2, error: 1 } })
  expect(code).toBe(3)
  expect(await results('listed')).toEqual([
    ['in/a red cat.jpg', labelOf('cat')],
    ['in/cup.JPG', labelOf('coffee')],
    ['in/gone.jpg', 'image_missing'],
  ])
})

it('classifies images selected by globs and formats', async () => {
  const asked = ['batch', 'in/**/*cup*', 'in/tower', '--format', 'jpeg', '--newer-than', '1h']
  const { code, stdout } = await whisklens([
    ...asked,
    '--batch',
    'globs',
    '--force',
    '--json',
    '--data',
    dataDir,
  ])
  expect([code, JSON.parse(stdout).totals]).toEqual([0, expect.objectContaining({ listed: 1, ok: 1 })])
  expect(await results('globs')).toEqual([['in/cup.JPG', labelOf('coffee')]])
})

it('stops at a list with unknown columns, and shows its first line', async () => {
  await clients.store
    .putObject({ Bucket: 'images', Key: 'list.csv', Body: 'Bucket,Key,Size\nimages,a.jpg,7\n' })
    .promise()
  const { code, stdout } = await whisklens([
    'batch',
    '--manifest',
    's3://images/list.csv',
    '--json',
    '--data',
    dataDir,
  ])
  expect(code).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject({
    state: 'stopped',
    reason: 'Line 1 of s3://images/list.csv is not valid. The columns are not recognized: "Bucket,Key,Size"',
  })
})
