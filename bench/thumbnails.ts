import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { settingsFromParams } from '../src/config'
import type { ImageRecord } from '../src/schema'
import { openStore } from '../src/storage/store'
import { makePhotos, small } from './photos'
import { bundleScripts, root, startChild } from './processes'
import { megabytes, table, thousands } from './scale/table'
import { median, ratioOf } from './statistics'
import { unpack } from './unpack'

/*
 * Cost of thumbnails in a batch: two containers of `classify`, as deployed to stock nodejs:20, alternate on the same photos, with and
 * without thumbnails, on the embedded object store. Linux only, because it reads /proc.
 */

const { values } = parseArgs({
  options: {
    /** Folder of photos; default: generated ones of 500×375. */
    photos: { type: 'string' },
    images: { type: 'string', default: '400' },
    rounds: { type: 'string', default: '5' },
    /** Memory of the action, MB. */
    memory: { type: 'string', default: '512' },
    zip: { type: 'string', default: join(root, 'dist', 'stock', 'classify.zip') },
    json: { type: 'boolean', default: false },
  },
})
const [images, rounds, memory] = [Number(values.images), Number(values.rounds), Number(values.memory)]

/** List prices of a large object store and of the services that run OpenWhisk, US dollars. */
const prices = { put: 5 / 1e6, get: 0.4 / 1e6, gigabyteMonth: 0.023, gigabyteSecond: 0.000017 }

/** Batch size that figures are scaled to. */
const batch = 100_000

interface Container {
  child: ChildProcess
  message: object
}

interface Turn {
  /** Duration of the activation, and CPU time of its process, milliseconds. */
  spent: number
  cpu: number
  records: ImageRecord[]
}

async function startContainer(folder: string, message: object): Promise<Container> {
  const child = fork(join(root, 'bench', 'contestants', 'unpacked-container.js'), [folder], {
    cwd: folder,
    env: { PATH: process.env.PATH, WHISKLENS_MEMORY: String(memory) },
    execArgv: ['--expose-gc'],
  })
  await once(child, 'message')
  return { child, message }
}

/** CPU time; Linux counts in hundredths of a second. */
async function cpuOf({ pid }: ChildProcess): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

async function peakOf({ pid }: ChildProcess): Promise<number> {
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) * 1024
}

async function turn({ child, message }: Container): Promise<Turn> {
  const before = await cpuOf(child)
  child.send(message)
  const [answer] = await once(child, 'message')
  const { images: records, spent } = answer as { images: ImageRecord[]; spent: { ms: number } }
  if (records.length !== images || records.some(({ status }) => status !== 'ok'))
    throw new Error(JSON.stringify(answer).slice(0, 1000))
  return { spent: spent.ms, cpu: (await cpuOf(child)) - before, records }
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'whisklens-thumbnails-'))
  const [action, scripts] = [join(folder, 'action'), join(folder, 'scripts')]
  await unpack(values.zip, action)
  await bundleScripts(['store'], scripts)
  const store = await startChild(join(scripts, 'store.js'), [join(folder, 'store')])
  const containers: Container[] = []
  try {
    const settings = await store.ask<Record<string, string>>('settings')
    const { bucket } = openStore(settingsFromParams(settings))
    for (const name of ['images', 'results']) await bucket(name).createIfMissing()
    const files = values.photos
      ? (await readdir(values.photos)).map((name) => join(values.photos ?? '', name))
      : await makePhotos(join(folder, 'photos'), images, small)
    const keys = files.slice(0, images).map((file) => basename(file))
    for (const [index, key] of keys.entries())
      await bucket('images').put(key, await readFile(files[index] ?? ''))
    const refs = Array.from({ length: images }, (_, n) => ({ bucket: 'images', key: keys[n % keys.length] }))
    for (const thumbnails of ['false', 'true'])
      containers.push(await startContainer(action, { ...settings, thumbnails, images: refs }))
    const [disabled, enabled] = containers as [Container, Container]
    for (const container of containers) await turn(container)
    const turns: Turns = { disabled: [], enabled: [] }
    for (let round = 0; round < rounds; round++) {
      turns.disabled.push(await turn(disabled))
      turns.enabled.push(await turn(enabled))
    }
    const peaks = { disabled: await peakOf(disabled.child), enabled: await peakOf(enabled.child) }
    report(turns, peaks)
  } finally {
    for (const { child } of containers) child.kill()
    await store.stop()
    await rm(folder, { recursive: true })
  }
}

type Turns = Record<'disabled' | 'enabled', Turn[]>

/** Figures for a batch of {@link batch} images, from the turns of one container. */
function figuresOf(turns: Turn[], peak: number) {
  const ms = median(turns.map(({ spent }) => spent)) / images
  const gigabyteSeconds = ((ms * batch) / 1000) * (memory / 1024)
  const thumbnails = turns[0]?.records.flatMap(({ thumbnail }) => thumbnail ?? []) ?? []
  const puts = (thumbnails.length / images) * batch
  const stored = (thumbnails.reduce((sum, { bytes }) => sum + bytes, 0) / images) * batch
  return {
    ms,
    cpu: median(turns.map(({ cpu }) => cpu)) / images,
    peak,
    gigabyteSeconds,
    puts,
    stored,
    dollars: {
      compute: gigabyteSeconds * prices.gigabyteSecond,
      requests: puts * prices.put + batch * prices.get,
      month: (stored / 1e9) * prices.gigabyteMonth,
    },
  }
}

function report(turns: Turns, peaks: Record<keyof Turns, number>): void {
  const disabled = figuresOf(turns.disabled, peaks.disabled)
  const enabled = figuresOf(turns.enabled, peaks.enabled)
  if (enabled.puts < batch) throw new Error('Some images have no thumbnail')
  const ratio = (of: 'spent' | 'cpu') =>
    ratioOf(
      turns.enabled.map((turn) => turn[of]),
      turns.disabled.map((turn) => turn[of]),
    )
  if (values.json) {
    console.log(
      JSON.stringify({
        images,
        rounds,
        memory,
        disabled,
        enabled,
        seconds: ratio('spent'),
        cpu: ratio('cpu'),
      }),
    )
    return
  }
  const row = (name: string, show: (figures: typeof disabled) => string, more = '') => [
    name,
    show(disabled),
    show(enabled),
    more,
  ]
  const dollars = (value: number) => `${value.toFixed(3)} $`
  const rows = [
    [`${thousands(batch)} images`, 'without', 'with', 'ratio'],
    row('activation, ms per image', ({ ms }) => ms.toFixed(1), ratio('spent').toFixed(2)),
    row('CPU, ms per image', ({ cpu }) => cpu.toFixed(1), ratio('cpu').toFixed(2)),
    row('peak memory', ({ peak }) => megabytes(peak)),
    row('GB-seconds', (one) => thousands(Math.round(one.gigabyteSeconds))),
    row('compute cost', (one) => dollars(one.dollars.compute)),
    row('image GETs', () => thousands(batch)),
    row('thumbnail PUTs', ({ puts }) => thousands(puts)),
    row('request cost', (one) => dollars(one.dollars.requests)),
    row('stored', ({ stored }) => `${(stored / 1e9).toFixed(2)} GB`),
    row('storage cost per month', (one) => dollars(one.dollars.month)),
  ]
  process.stdout.write(table(rows))
}

main().catch((thrown) => {
  console.error(thrown)
  process.exitCode = 1
})
