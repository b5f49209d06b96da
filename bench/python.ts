import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { makePhotos, small } from './photos'
import { root } from './processes'
import { median } from './statistics'

/*
 * `whisklens classify --json` beside a short Python program with Pillow and onnxruntime: whole processes on all cores, the
 * same model.onnx and the same photos, in turns. Fails where fewer than 99 % of the photos have the same first label.
 */

const usage = `npm run bench:python -- [--model <folder>] [--photos <folder>] [--python <program>] [--images <n>] [--rounds <n>]
  --model    a folder with a model.onnx (models/efficientnet-lite0)
  --photos   a folder of images; without it, so many are made
  --python   a Python that has Pillow, numpy and onnxruntime (python3)
`

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: join(root, 'models', 'efficientnet-lite0') },
    photos: { type: 'string' },
    python: { type: 'string', default: 'python3' },
    images: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '5' },
    help: { type: 'boolean', default: false },
  },
})
const leastAgreement = 0.99

interface Line {
  labels: { index: number }[]
}

interface Run {
  /** Seconds: by the clock, and of all cores. */
  wall: number
  cpu: number
  /** The first label of each photo, in order. */
  labels: (number | undefined)[]
}

/** Runs a program to its end. bash tells what its children took, which Node.js does not. */
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
    const programs = {
      whisklens: [
        process.execPath,
        join(root, 'bin', 'whisklens.js'),
        ...['classify', '--json', '--model', values.model, photos],
      ],
      python: [values.python, join(__dirname, 'python', 'classify.py'), values.model, photos],
    }
    const runs: Record<keyof typeof programs, Run[]> = { whisklens: [], python: [] }
    for (let round = 0; round < Number(values.rounds); round++) {
      const names = Object.keys(programs) as (keyof typeof programs)[]
      for (const name of round % 2 ? names.reverse() : names)
        runs[name].push(await run(programs[name], folder))
    }
    const agreement = agreementOf(runs.whisklens[0] as Run, runs.python[0] as Run)
    const ratio = (what: 'wall' | 'cpu'): number =>
      median(runs.whisklens.map((ours, round) => ours[what] / (runs.python[round] as Run)[what]))
    const seconds = (name: keyof typeof runs) => ({
      wall: median(runs[name].map(({ wall }) => wall)),
      cpu: median(runs[name].map(({ cpu }) => cpu)),
    })
    const found = {
      model: values.model,
      photos: runs.python[0]?.labels.length,
      seconds: { whisklens: seconds('whisklens'), python: seconds('python') },
      ratio: { wall: ratio('wall'), cpu: ratio('cpu') },
      agreement,
    }
    process.stdout.write(`${JSON.stringify(found, null, 2)}\n`)
    if (agreement < leastAgreement) process.exitCode = 1
  } finally {
    await rm(folder, { recursive: true })
  }
}

function agreementOf({ labels: ours }: Run, { labels: theirs }: Run): number {
  if (ours.length !== theirs.length) throw new Error(`${ours.length} labels beside ${theirs.length}`)
  return ours.filter((label, index) => label === theirs[index]).length / ours.length
}

main().catch((thrown) => {
  console.error(thrown)
  process.exitCode = 1
})
