import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Connection, connectionFileSchema } from '../../src/local-connection'
import { fillExampleFolder } from '../helpers/example-folder'
import { type RunningLocal, startLocalModeIn } from '../helpers/local-mode'
import { bareEnvironment } from '../unit/cli-run'
import { root } from './pages'
import { pathOf, programOf, sharedFolder } from './shared'
import { prelude, scriptOf, startsOwnLocalMode } from './shell'

/** How a script or a program ended. */
export interface Outcome {
  code: number | null
  stdout: string
  stderr: string
  /** The line of the script that failed, from 1. */
  failedLine?: number
}

/** What of a clone a page's commands name. */
const ofClone = [
  'docs',
  'samples',
  'scripts',
  'models',
  'actions',
  'triggers',
  'src',
  'runtime',
  'dist',
  'Dockerfile',
]
const manifests = ['manifest.yaml', 'manifest.stock.yaml']

/** What can reach the local mode. */
const usesDeployment = /whisklens|wsk|curl|aws|node|np[mx]|127\.0\.0\.1/

/** A block that runs for longer hangs. Milliseconds. */
const patience = 240_000

/** A page as one reads it: in a folder and a terminal of its own, with a local mode. */
export class PageSession {
  readonly folder: string
  /** What the reader does not see: the home folder, variables, output. */
  readonly #state: string
  readonly #env: NodeJS.ProcessEnv
  readonly #groups: number[] = []
  #local: RunningLocal | undefined
  #isStartedByPage = false

  constructor(slug: string) {
    const shared = sharedFolder()
    this.folder = join(shared, 'pages', slug)
    this.#state = join(shared, 'state', slug)
    const home = join(this.#state, 'home')
    const ownSettings = /^(XDG_(DATA|CACHE)_HOME|npm_.*)$/
    const env = Object.entries(bareEnvironment(home)).filter(([name]) => !ownSettings.test(name))
    this.#env = {
      ...Object.fromEntries(env),
      // Which registry there is, is said in the real home folder.
      npm_config_userconfig: join(homedir(), '.npmrc'),
      PATH: pathOf(shared),
      DOCS_STATE: this.#state,
      DOCS_FOLDER: this.folder,
      WSK_CONFIG_FILE: join(this.folder, '.whisklens', 'wskprops'),
    }
    mkdirSync(home, { recursive: true })
    writeFileSync(join(this.#state, 'prelude'), prelude)
    this.#fill()
  }

  /** Photos, and what of a clone a command may name; `npm start` and `npm run demo` are those of package.json. */
  #fill(): void {
    mkdirSync(this.folder, { recursive: true })
    fillExampleFolder(this.folder)
    for (const name of [...ofClone, ...manifests]) symlinkSync(join(root, name), join(this.folder, name))
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>
    }
    const own = Object.entries(scripts).map(([name, line]) => [
      name,
      line.replace('node bin/whisklens.js', 'whisklens'),
    ])
    const json = JSON.stringify({ private: true, type: 'module', scripts: Object.fromEntries(own) })
    writeFileSync(join(this.folder, 'package.json'), json)
  }

  /** Runs a block of shell. */
  async shell(text: string): Promise<Outcome> {
    if (text.split('\n').some(startsOwnLocalMode)) await this.#handOver()
    else if (usesDeployment.test(text)) await this.startLocal()
    const script = join(this.#state, 'block.sh')
    writeFileSync(script, scriptOf(text))
    rmSync(join(this.#state, 'failed'), { force: true })
    const outcome = await this.#spawn('bash', ['-c', '. "$DOCS_STATE/prelude"; . "$DOCS_STATE/block.sh"'])
    const failed = join(this.#state, 'failed')
    return existsSync(failed) ? { ...outcome, failedLine: Number(readFileSync(failed, 'utf8')) } : outcome
  }

  /** Runs a program of Node.js that lies in the page's folder. */
  async program(file: string): Promise<Outcome> {
    if (usesDeployment.test(readFileSync(file, 'utf8'))) await this.startLocal()
    return this.#spawn('bash', ['-c', '. "$DOCS_STATE/prelude"; node "$0"', file])
  }

  /** How to reach the page's local mode. */
  async connection(): Promise<Connection> {
    await this.startLocal()
    const json = readFileSync(join(this.folder, '.whisklens', 'connection.json'), 'utf8')
    return connectionFileSchema.parse(JSON.parse(json))
  }

  /** Starts the page's local mode, unless it runs or the page has started one itself. */
  async startLocal(): Promise<void> {
    if (this.#local || this.#isStartedByPage) return
    this.#local = await startLocalModeIn(
      this.folder,
      this.#env,
      [process.execPath, programOf(sharedFolder())],
      '.whisklens',
    )
  }

  /** From here on the local mode is the page's own. */
  async #handOver(): Promise<void> {
    await this.#local?.stop()
    this.#local = undefined
    this.#isStartedByPage = true
  }

  /** Runs a program to its end. Its output goes to files, as what it leaves in the background keeps them open. */
  async #spawn(program: string, args: string[]): Promise<Outcome> {
    const paths = ['stdout', 'stderr'].map((name) => join(this.#state, name)) as [string, string]
    const [stdout, stderr] = paths.map((path) => openSync(path, 'w')) as [number, number]
    const child = spawn(program, args, {
      cwd: this.folder,
      env: this.#env,
      stdio: ['ignore', stdout, stderr],
      // A process group of its own, to be ended whole.
      detached: true,
    })
    for (const file of [stdout, stderr]) closeSync(file)
    const group = child.pid as number
    this.#groups.push(group)
    const hung = setTimeout(() => process.kill(-group, 'SIGKILL'), patience)
    const [code] = await once(child, 'exit')
    clearTimeout(hung)
    const [out, err] = paths.map((path) => readFileSync(path, 'utf8')) as [string, string]
    return { code: code as number | null, stdout: out, stderr: err }
  }

  /** Ends everything that the page has left running. */
  async close(): Promise<void> {
    await Promise.all(this.#groups.map(endGroup))
    await this.#local?.stop()
    rmSync(this.folder, { recursive: true, force: true })
    rmSync(this.#state, { recursive: true, force: true })
  }
}

const isThere = (group: number): boolean => {
  try {
    return process.kill(-group, 0)
  } catch {
    return false
  }
}

/** Interrupts a process group, and kills what is left of it after a while. */
async function endGroup(group: number): Promise<void> {
  if (!isThere(group)) return
  process.kill(-group, 'SIGTERM')
  for (let tenths = 0; tenths < 100 && isThere(group); tenths++) await sleep(100)
  if (isThere(group)) process.kill(-group, 'SIGKILL')
}
