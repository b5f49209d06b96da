import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Command } from 'commander'
import { commands } from '../../src/cli/commands'
import { createProgram } from '../../src/cli/program'
import { fillExampleFolder, writeProgram } from '../helpers/example-folder'
import { installed } from '../helpers/installed'
import { type RunningLocal, startLocalMode } from '../helpers/local-mode'
import { removeMobileNets, writeLayersModel } from '../helpers/mobilenet'
import { buildStock, stockMissing, stockZip } from '../helpers/stock-zip'
import { bareEnvironment, bin } from '../unit/cli-run'

/* Runs every example of the help in bash against a local mode, and every command with --json. */

const root = join(__dirname, '..', '..')
const someBatch = '20261122-073000-a1b2c3'

/** Google's weights, whose checksum is in the catalogue. If missing, generated weights replace them. */
const published = join(root, '..', 'shared', 'models', 'mobilenet_v1_0.25_224')

let folder: string
let env: NodeJS.ProcessEnv
let local: RunningLocal
let leaves: Map<string, { command: Command; examples: string[] }>

/** Leaf commands of the tree. */
const leavesOf = (command: Command): Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leavesOf)

const nameOf = (command: Command): string =>
  command.parent?.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name()

function examplesOf(command: Command): string[] {
  let help = ''
  command.configureOutput({
    writeOut: (text) => {
      help += text
    },
  })
  command.outputHelp()
  const [, examples = ''] = help.split('\nExamples:\n')
  return examples.split('\n').flatMap((line) => (line.startsWith('  ') ? [line.trim()] : []))
}

async function readTree() {
  const program = await createProgram(commands, [])
  const named = leavesOf(program).filter((command) => command.name() !== 'complete')
  leaves = new Map(named.map((command) => [nameOf(command), { command, examples: examplesOf(command) }]))
  return [
    ...examplesOf(program),
    ...program.commands.flatMap((one) => (one.commands.length > 0 ? examplesOf(one) : [])),
  ]
}

interface Done {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs a line of bash. An endless one is interrupted, as by Ctrl-C, after its first output. */
async function bash(line: string, isEndless = false, data = local.dataDir): Promise<Done> {
  const child = spawn('bash', ['-c', `set -o pipefail\n${line}`], {
    cwd: folder,
    env: { ...env, WHISKLENS_DATA: data },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Its own process group, so that children are interrupted, too.
    detached: true,
  })
  const done = { stdout: '', stderr: '' }
  let isInterrupted = false
  const closed = once(child, 'close')
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      done[name] += text
      if (isEndless && !isInterrupted && child.pid) process.kill(-child.pid, 'SIGINT')
      isInterrupted = true
    })
  const [code] = await closed
  return { ...done, code: code as number | null }
}

/** Compares the exit code; shows stderr if it differs. */
function expectCode(line: string, { code, stderr }: Pick<Done, 'code' | 'stderr'>, expected: number): void {
  const shown = code === expected ? '' : stderr
  expect({ line, code, stderr: shown }).toEqual({ line, code: expected, stderr: '' })
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'whisklens-examples-'))
  const at = (...names: string[]) => join(folder, ...names)
  for (const name of ['bin', 'home']) mkdirSync(at(name))
  writeProgram(at('bin', 'whisklens'), `exec '${process.execPath}' '${bin}' "$@"`)
  fillExampleFolder(folder)
  cpSync(join(root, 'models', 'efficientnet-lite0', 'model.onnx'), at('resnet18.onnx'))
  cpSync(existsSync(published) ? published : await writeLayersModel(), at('mobilenet_v1_0.25_224'), {
    recursive: true,
  })
  if (!stockMissing && !existsSync(stockZip)) buildStock()
  env = {
    ...bareEnvironment(at('home')),
    PATH: `${at('bin')}${delimiter}${process.env.PATH}`,
    WHISKLENS_MODELS: at('models'),
  }
  local = await startLocalMode(at('data'))
  await bash(
    `whisklens upload photos/ --prefix photos/ --quiet; whisklens batch photos/ --batch ${someBatch} --quiet`,
  )
}, 600_000)

afterAll(async () => {
  await local.stop()
  removeMobileNets()
  rmSync(folder, { recursive: true, force: true })
})

/** Sets up the files an example needs, with the model `flowers` in its state before the command. */
function prepare(line: string): void {
  const [given, added] = [join(folder, 'flowers'), join(folder, 'models', 'flowers')]
  for (const path of [given, added, join(folder, 'mobilenet')]) rmSync(path, { recursive: true, force: true })
  const model = join(root, 'models', 'efficientnet-lite0')
  const isDescribed = !line.includes('--labels flowers.txt')
  cpSync(model, given, {
    recursive: true,
    filter: (path) => isDescribed || !/\/(whisklens|labels)\.json$/.test(path),
  })
  if (!line.includes('model add')) cpSync(model, added, { recursive: true })
  for (const name of ['pets', 'pets-2', 'resnet18', 'mobilenet-v1-0.25-layers', 'efficientnet-lite0'])
    if (/model add|teach/.test(line)) rmSync(join(folder, 'models', name), { recursive: true, force: true })
}

const isTaken = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket
      .once('connect', () => socket.destroy())
      .once('close', (failed) => resolve(!failed))
      .once('error', () => {})
  })

/** Why an example cannot run here; false if it can. */
async function whyLeftOut(line: string): Promise<string | false> {
  if (line.includes('--install')) return 'it installs hundreds of megabytes'
  if (line.includes('flowers.keras')) return "it takes TensorFlow's converter"
  if (line.includes('--from') && !existsSync(published)) return "Google's weights are not here"
  if (/model add mobilenet-v1-0\.25$/.test(line)) return 'it downloads'
  if (line.includes('jq') && !installed('jq')) return 'jq is not installed'
  if (line.includes('--stock') && stockMissing) return stockMissing
  const isUp = /^whisklens up\b/.test(line) && !line.includes('--port 0')
  return isUp && ((await isTaken(3233)) || (await isTaken(9000))) && 'its ports are taken'
}

/** Without an id, `watch` follows the day's uploads until midnight. */
const isEndless = (line: string): boolean => /^whisklens (up|watch(?! [0-9]))\b/.test(line)

/** Examples may be shared by several help pages; each runs once. */
const seen = new Set<string>()

function isNew(line: string): boolean {
  const bare = line.replace(/\s+# .*/, '')
  return !seen.has(bare) && Boolean(seen.add(bare))
}

async function runExamples(examples: string[]): Promise<void> {
  for (const line of examples.filter(isNew)) {
    const why = await whyLeftOut(line)
    if (why) {
      leftOut.push(`${line}: ${why}`)
      continue
    }
    prepare(line)
    const data = /^whisklens up\b/.test(line) ? join(folder, 'up') : local.dataDir
    const { code, stderr } = await bash(line, isEndless(line), data)
    const isInterrupted = line.startsWith('whisklens watch') && isEndless(line)
    expectCode(line, { code, stderr }, isInterrupted ? 130 : 0)
    ran.push(line)
  }
}

const ran: string[] = []
const leftOut: string[] = []

const deploying = ['deploy', 'undeploy']
const order = Object.keys(commands).filter((name) => !deploying.includes(name))

describe('examples in the help', () => {
  it('exist for every command, and start with its name', async () => {
    await readTree()
    for (const [name, { examples }] of leaves)
      expect({ name, examples }).toEqual({
        name,
        examples: expect.arrayContaining([expect.stringContaining(`whisklens ${name}`)]),
      })
  })

  it('work for whisklens itself', async () => runExamples(await readTree()), 300_000)

  it.each([...order, ...deploying])(
    'work: %s',
    async (name) => {
      const own = [...leaves].filter(([leaf]) => leaf === name || leaf.startsWith(`${name} `))
      await runExamples(own.flatMap(([, { examples }]) => examples))
    },
    300_000,
  )

  it('are nearly all run', () => {
    process.stderr.write(`${ran.length} examples of the help run; left out:\n  ${leftOut.join('\n  ')}\n`)
    expect(ran.length).toBeGreaterThan(50)
    expect(leftOut.length).toBeLessThan(10)
  })
})

/** By command: arguments that produce output, and the exit code. */
const withJson: Record<string, [args: string, code?: number]> = {
  up: ['--port 0 --data up'],
  demo: [''],
  upload: ['photos/ --prefix photos/'],
  classify: ['cat.jpg'],
  batch: ['photos/ --force'],
  status: [''],
  watch: [someBatch],
  results: [someBatch],
  retry: [someBatch],
  cancel: [someBatch],
  prune: ['--older-than 1h --dry-run'],
  cost: [''],
  teach: ['pets/ --force'],
  'model list': [''],
  'model info': ['efficientnet-lite0'],
  'model add': ['./flowers'],
  'model remove': ['flowers'],
  'model convert': ['mobilenet_v1_0.25_224/ mobilenet/ --size 224 --force'],
  'model verify': ['efficientnet-lite0'],
  doctor: [''],
  deploy: [''],
  undeploy: ['--dry-run'],
}

describe('--json', () => {
  // The last example undeployed it.
  beforeAll(async () => expectCode('deploy', await bash('whisklens deploy --quiet'), 0))

  it('is an option of every command except completion', async () => {
    await readTree()
    expect([...leaves.keys()].sort()).toEqual([...Object.keys(withJson), 'completion'].sort())
    for (const name of Object.keys(withJson))
      expect(leaves.get(name)?.command.options.map(({ long }) => long)).toContain('--json')
  })

  it.each(Object.entries(withJson))(
    'makes %s print one value per line',
    async (name, [args, expected = 0]) => {
      const line = `whisklens ${name} ${args} --json`
      prepare(line)
      const { code, stdout, stderr } = await bash(line, name === 'up')
      expectCode(line, { code, stderr }, expected)
      const lines = stdout.trimEnd().split('\n')
      // No batch is old enough.
      if (name === 'prune') expect(stdout).toBe('')
      else for (const one of lines) expect(typeof JSON.parse(one)).toBe('object')
    },
    300_000,
  )

  it.each(Object.keys(withJson))('makes %s report wrong usage as JSON, with exit code 2', async (name) => {
    const { code, stdout, stderr } = await bash(`whisklens ${name} --json --nonsense`)
    expect([code, stdout]).toEqual([2, ''])
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'usage', hint: expect.stringContaining('--help') },
    })
  })
})
