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
import { signalGroup } from '../../src/local/containers/process-group'
import { type Connection, connectionFileSchema } from '../../src/local-connection'
import { fillExampleFolder } from '../helpers/example-folder'
import { type RunningLocal, startLocalModeIn } from '../helpers/local-mode'
import { bareEnvironment } from '../unit/cli-run'
import { root } from './pages'
import { pathOf, programOf, sharedFolder } from './shared'
import { prelude, scriptOf, startsOwnLocalMode } from './shell'

/** Result of a script or program. */
export interface Outcome {
  code: number | null
  stdout: string
  stderr: string
  /** Line of the script that failed, from 1. */
  failedLine?: number
}

/** Paths of a clone that pages refer to. */
const clonePaths = [
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

/** Matches code that may need the local mode. */
const usesDeployment = /whisklens|wsk|curl|aws|node|np[mx]|127\.0\.0\.1/

/** Timeout of a block, milliseconds. */
const patience = 240_000

/** The environment of a reader: a folder, a terminal and a local mode for each page. */
export class PageSession {
  readonly folder: string
  /** Hidden from the reader: home folder, variables, output. */
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
      // The registry is configured in the real home folder.
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

  /**
   * Adds photos, and the paths of a clone that pages refer to. `npm start` and `npm run demo` are those of
   * package.json.
   */
  #fill(): void {
    mkdirSync(this.folder, { recursive: true })
    fillExampleFolder(this.folder)
    for (const name of [...clonePaths, ...manifests]) symlinkSync(join(root, name), join(this.folder, name))
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

  /** Runs a shell block. */
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

  /** Runs a Node.js program in the page's folder. */
  async program(file: string): Promise<Outcome> {
    if (usesDeployment.test(readFileSync(file, 'utf8'))) await this.startLocal()
    return this.#spawn('bash', ['-c', '. "$DOCS_STATE/prelude"; node "$0"', file])
  }

  /** Connection of the page's local mode. */
  async connection(): Promise<Connection> {
    await this.startLocal()
    const json = readFileSync(join(this.folder, '.whisklens', 'connection.json'), 'utf8')
    return connectionFileSchema.parse(JSON.parse(json))
  }

  /** Starts the page's local mode, unless it is running or the page has started its own. */
  async startLocal(): Promise<void> {
    if (this.#local || this.#isStartedByPage) return
    this.#local = await startLocalModeIn(
      this.folder,
      this.#env,
      [process.execPath, programOf(sharedFolder())],
      '.whisklens',
    )
  }

  /** Stops the session's local mode, so that the page can start its own. */
  async #handOver(): Promise<void> {
    await this.#local?.stop()
    this.#local = undefined
    this.#isStartedByPage = true
  }

  /** Runs a program to completion. Output goes to files: background processes would keep pipes open. */
  async #spawn(program: string, args: string[]): Promise<Outcome> {
    const paths = ['stdout', 'stderr'].map((name) => join(this.#state, name)) as [string, string]
    const [stdout, stderr] = paths.map((path) => openSync(path, 'w')) as [number, number]
    const child = spawn(program, args, {
      cwd: this.folder,
      env: this.#env,
      stdio: ['ignore', stdout, stderr],
      // Its own process group, so that close() ends all its children.
      detached: true,
    })
    for (const file of [stdout, stderr]) closeSync(file)
    const group = child.pid as number
    this.#groups.push(group)
    const hung = setTimeout(() => signalGroup(group, 'SIGKILL'), patience)
    const [code] = await once(child, 'exit')
    clearTimeout(hung)
    const [out, err] = paths.map((path) => readFileSync(path, 'utf8')) as [string, string]
    return { code: code as number | null, stdout: out, stderr: err }
  }

  /** Ends all processes that the page has left running. */
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

/** Terminates a process group; kills it after 10 s. */
async function endGroup(group: number): Promise<void> {
  if (!isThere(group)) return
  signalGroup(group, 'SIGTERM')
  for (let tenths = 0; tenths < 100 && isThere(group); tenths++) await sleep(100)
  signalGroup(group, 'SIGKILL')
}
