import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { findEngine } from '../src/classifier/engines'
import { engineNames } from '../src/classifier/engines/names'
import { photo } from '../test/helpers/photos'

/*
 * What each engine that is installed takes: milliseconds an image, from the network alone and with decoding a JPEG of
 * 500×375, memory, and the time from the start of a process to its first label. The engines take turns, each in a
 * process of its own with one thread, bundled as an action is.
 */

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '8' },
    images: { type: 'string', default: '24' },
    engines: { type: 'string', default: engineNames.filter((name) => name !== 'cpu').join(',') },
    json: { type: 'boolean', default: false },
  },
})
const [rounds, images] = [Number(values.rounds), Number(values.images)]
const engines = values.engines.split(',').filter((name) => !findEngine(name).missing())
const root = join(__dirname, '..')

const tasks = ['infer', 'classify', 'batch'] as const
type Task = (typeof tasks)[number] | 'firstLabel'

/** Measured of one engine: milliseconds an image, or until the first; bytes. */
interface Measured {
  times: Record<Task, number[]>
  /** Of processor time: it stays the same where others use the machine, too. */
  cpu: Record<Task, number[]>
  resident: number
  peak: number
}

const none = (): Record<Task, number[]> => ({ infer: [], classify: [], batch: [], firstLabel: [] })

const percentile = (numbers: number[], share: number): number =>
  Math.round((numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length * share)] ?? 0) * 10) / 10

async function start(
  script: string,
  args: string[],
): Promise<{ child: ChildProcess; took: number; cpu: number }> {
  const NODE_PATH = [join(root, 'node_modules'), process.env.NODE_PATH].filter(Boolean).join(delimiter)
  const began = performance.now()
  const child = fork(script, args, { execArgv: [], env: { ...process.env, WHISKLENS_HOME: root, NODE_PATH } })
  const [{ cpu }] = await once(child, 'message')
  return { child, took: performance.now() - began, cpu }
}

async function stop(child: ChildProcess): Promise<void> {
  child.kill()
  await once(child, 'exit')
}

async function measure(script: string, file: string): Promise<Map<string, Measured>> {
  const measured = new Map<string, Measured>()
  const children = new Map<string, ChildProcess>()
  for (const engine of engines) {
    children.set(engine, (await start(script, [engine, file])).child)
    measured.set(engine, { times: none(), cpu: none(), resident: 0, peak: 0 })
  }
  for (let round = 0; round < rounds; round++) {
    for (const [engine, { times, cpu }] of measured) {
      const { child, ...first } = await start(script, [engine, file])
      await stop(child)
      times.firstLabel.push(first.took)
      cpu.firstLabel.push(first.cpu)
    }
    for (const task of tasks) {
      for (const [engine, found] of measured) {
        const child = children.get(engine)
        child?.send({ task, count: images })
        const [{ times, cpu, resident, peak }] = child ? await once(child, 'message') : []
        found.times[task].push(...times)
        found.cpu[task].push(cpu)
        // A batch of eight takes memory that single images do not.
        if (task !== 'batch' && round === 0) Object.assign(found, { resident, peak })
      }
    }
  }
  await Promise.all([...children.values()].map(stop))
  return measured
}

function report(measured: Map<string, Measured>): void {
  const rows = [...measured].map(([engine, { times, cpu, resident, peak }]) => ({
    engine,
    infer: percentile(times.infer, 0.5),
    inferCpu: percentile(cpu.infer, 0.5),
    batchOf8Cpu: percentile(cpu.batch, 0.5),
    classify: percentile(times.classify, 0.5),
    classifyCpu: percentile(cpu.classify, 0.5),
    firstLabel: percentile(times.firstLabel, 0.5),
    firstLabelCpu: percentile(cpu.firstLabel, 0.5),
    residentMB: Math.round(resident / 1e6),
    peakMB: Math.round(peak / 1e6),
  }))
  const machine = { cores: availableParallelism(), load: loadavg()[0], node: process.version }
  if (values.json) {
    console.log(JSON.stringify({ rows, ...machine }))
    return
  }
  console.table(rows)
  console.error(machine)
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'whisklens-engines-'))
  try {
    const [script, file] = [join(folder, 'child.js'), join(folder, 'photo.jpg')]
    const entryPoints = [join(__dirname, 'engines', 'child.ts')]
    const bundled = { bundle: true, platform: 'node', format: 'cjs', minify: true } as const
    await build({ entryPoints, outfile: script, external: ['sharp'], target: 'node20', ...bundled })
    await writeFile(file, await photo(1, { width: 500, height: 375 }))
    report(await measure(script, file))
  } finally {
    await rm(folder, { recursive: true })
  }
}

main().catch((thrown) => {
  console.error(thrown)
  process.exitCode = 1
})
