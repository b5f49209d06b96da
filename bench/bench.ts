import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { concluded } from './conclude'
import { available, contestantsWith } from './contestants'
import { type Findings, findingsSchema } from './findings'
import { type Chunks, measureChunks } from './measure/chunks'
import { type ColdStarts, measureColdStarts } from './measure/cold-starts'
import type { Measurement } from './measure/measurement'
import { measurePipelines, type Pipeline } from './measure/pipelines'
import { model } from './network'
import { installPeers } from './peers'
import { large, makePhotos, small } from './photos'
import { bundleScripts, root } from './processes'
import { publish } from './report/publish'
import { summary } from './report/tables'

/*
 * Whisklens compared with its predecessor and with onnxruntime-node on this machine, each in its own process with one thread,
 * alternating in rounds. `npm run bench -- --help` lists the options.
 */

const usage = `npm run bench -- [--rounds <n>] [--images <n>] [--quick] [--json] [--write]
  --rounds, --images  number of rounds, and of images per round (8, 24)
  --quick             one round of a few images: a smoke test, not a measurement
  --json              one JSON object with all figures instead of tables
  --write             updates the tables and the plot in docs/
`

const { values } = parseArgs({
  options: {
    rounds: { type: 'string' },
    images: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds ?? (values.quick ? 1 : 8))
const images = Number(values.images ?? (values.quick ? 4 : 24))
const largeImages = Math.min(images, 8)

const log = (text: string): void => void process.stderr.write(`${text}\n`)

async function measure(folder: string): Promise<Findings> {
  const zip = join(root, 'dist', 'stock', 'classify.zip')
  if (!existsSync(zip)) throw new Error('dist/stock/classify.zip is missing: run npm run build')
  log('Installing the peers')
  const network = join(root, 'models', model, 'model.onnx')
  const { running, skipped } = available(contestantsWith(network), await installPeers())
  for (const [name, reason] of Object.entries(skipped)) log(`${name} is skipped. ${reason}`)
  const scripts = join(folder, 'scripts')
  await bundleScripts(['whisklens', 'onnxruntime', 'seed', 'store'], scripts)
  const photos = {
    small: await makePhotos(join(folder, 'small'), images, small),
    large: await makePhotos(join(folder, 'large'), largeImages, large),
  }
  const engines = Object.keys(running).filter((name) => running[name]?.script === 'whisklens')
  const load = loadavg()[0] ?? 0
  log('Starting contestants')
  const photo = join(root, 'samples', 'coffee.jpg')
  const options = { zip, photo, scripts, folder: join(folder, 'action') }
  const measurements: [Measurement<Record<string, Pipeline>>, Measurement<Chunks>, Measurement<ColdStarts>] =
    [
      await measurePipelines(running, photos.small, scripts),
      await measureChunks(engines, photos, scripts, join(folder, 'store')),
      await measureColdStarts(running, options),
    ]
  try {
    for (let round = 0; round < rounds; round++) {
      log(`Round ${round + 1} of ${rounds}`)
      for (const measurement of measurements) await measurement.turn(round)
    }
    const [pipelines, chunks, coldStarts] = measurements
    const found = {
      pipelines: await pipelines.found(),
      chunks: await chunks.found(),
      coldStarts: await coldStarts.found(),
    }
    return findingsSchema.parse({
      schema: 'whisklens.bench/1',
      at: new Date().toISOString(),
      machine: machine(load),
      run: { command: command(), rounds, images },
      ...concluded(found, skipped),
    })
  } finally {
    for (const measurement of measurements) await measurement.stop()
  }
}

const machine = (load: number) => ({
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  memoryGB: Math.round(totalmem() / 1e9),
  node: process.version,
  load,
})

const command = (): string => `npm run bench -- --rounds ${rounds} --images ${images}`

async function main(): Promise<void> {
  if (values.help) return log(usage)
  const folder = await mkdtemp(join(tmpdir(), 'whisklens-bench-'))
  try {
    const findings = await measure(folder)
    process.stdout.write(values.json ? `${JSON.stringify(findings)}\n` : summary(findings))
    if (values.write) await publish(findings, join(root, 'docs'))
  } finally {
    await rm(folder, { recursive: true })
  }
}

main().catch((thrown) => {
  console.error(thrown)
  process.exitCode = 1
})
