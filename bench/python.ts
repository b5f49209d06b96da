import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { makePhotos, small } from './photos'
import { root } from './processes'
import { median } from './statistics'
import { writeModel } from './transformers/model'

/*
 * Compares `whisklens classify --json` with a short Python program on Pillow and onnxruntime, and with transformers.js if installed:
 * whole processes on all cores, with the same model.onnx and photos, alternating. Fails if fewer than 99 % of the photos have the same
 * top label as in Python.
 */

const usage = `npm run bench:python -- [--model <folder>] [--photos <folder>] [--python <program>] [--transformers <folder>] [--images <n>] [--rounds <n>]
  --model    a folder with a model.onnx (models/efficientnet-lite0)
  --photos   a folder of images; default: --images generated photos
  --python   a Python with Pillow, numpy and onnxruntime (python3)
  --transformers  a folder with @huggingface/transformers in node_modules; it runs EfficientNet-Lite0 in float
`

const leastAgreement = 0.99
const floatModel = join(root, 'models', 'efficientnet-lite0')

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: floatModel },
    photos: { type: 'string' },
    python: { type: 'string', default: 'python3' },
    transformers: { type: 'string' },
    images: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '5' },
    help: { type: 'boolean', default: false },
  },
})

interface Line {
  labels: { index: number }[]
}

interface Run {
  /** Seconds: wall clock, and CPU time of all cores. */
  wall: number
  cpu: number
  /** Top label of each photo, in order. */
  labels: (number | undefined)[]
}

/** Runs a program to its end. Uses bash to measure the CPU time of its children, which Node.js does not report. */
async function run(program: string[], folder: string): Promise<Run> {
  const [out, times] = [join(folder, 'out'), join(folder, 'times')]
  const script = 'TIMEFORMAT="%R %U %S"; { time "$@" >"$0/out" 2>"$0/err"; } 2>"$0/times"'
  await promisify(execFile)('bash', ['-c', script, folder, ...program], {
    env: { ...process.env, WHISKLENS_ENGINE: 'onnx' },
  })
  const [wall = 0, user = 0, system = 0] = (await readFile(times, 'utf8')).split(' ').map(Number)
  const lines = (await readFile(out, 'utf8')).trim().split('\n')
  const labels = lines.map((line) => (JSON.parse(line) as Line).labels[0]?.index)
  return { wall, cpu: user + system, labels }
}

async function main(): Promise<void> {
  if (values.help) return void process.stderr.write(usage)
  const folder = await mkdtemp(join(tmpdir(), 'whisklens-python-'))
  try {
    const photos = values.photos ?? join(folder, 'photos')
    if (!values.photos) await makePhotos(photos, Number(values.images), small)
    const programs: Record<string, string[]> = {
      whisklens: [
        process.execPath,
        join(root, 'bin', 'whisklens.js'),
        ...['classify', '--json', '--model', values.model, photos],
      ],
      python: [values.python, join(__dirname, 'python', 'classify.py'), values.model, photos],
    }
    if (values.transformers) {
      const model = join(folder, 'model')
      await writeModel(floatModel, model)
      const program = join(__dirname, 'transformers', 'classify.mjs')
      programs.transformers = [process.execPath, program, resolve(values.transformers), model, photos]
    }
    const names = Object.keys(programs)
    const runs = Object.fromEntries(names.map((name) => [name, [] as Run[]]))
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const name of round % 2 ? names.toReversed() : names)
        runs[name]?.push(await run(programs[name] as string[], folder))
    }
    const { whisklens = [] } = runs
    const others = names.filter((name) => name !== 'whisklens')
    const ofOthers = <T>(what: (theirs: Run[]) => T): Record<string, T> =>
      Object.fromEntries(others.map((name) => [name, what(runs[name] as Run[])]))
    const ratio = (what: 'wall' | 'cpu', theirs: Run[]): number =>
      median(whisklens.map((ours, round) => ours[what] / (theirs[round] as Run)[what]))
    const seconds = (of: Run[]) => ({
      wall: median(of.map(({ wall }) => wall)),
      cpu: median(of.map(({ cpu }) => cpu)),
    })
    const agreement = ofOthers((theirs) => agreementOf(whisklens[0] as Run, theirs[0] as Run))
    const found = {
      model: values.model,
      photos: whisklens[0]?.labels.length,
      seconds: { whisklens: seconds(whisklens), ...ofOthers(seconds) },
      ratio: ofOthers((theirs) => ({ wall: ratio('wall', theirs), cpu: ratio('cpu', theirs) })),
      agreement,
    }
    process.stdout.write(`${JSON.stringify(found, null, 2)}\n`)
    if ((agreement.python ?? 0) < leastAgreement) process.exitCode = 1
  } finally {
    await rm(folder, { recursive: true })
  }
}

function agreementOf({ labels: ours }: Run, { labels: theirs }: Run): number {
  if (ours.length !== theirs.length)
    throw new Error(`Expected as many labels as Python's ${theirs.length}, got ${ours.length}`)
  return ours.filter((label, index) => label === theirs[index]).length / ours.length
}

main().catch((thrown) => {
  console.error(thrown)
  process.exitCode = 1
})
