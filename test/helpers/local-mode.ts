import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection } from '../../src/local-connection'

const bin = join(__dirname, '..', '..', 'bin', 'whisklens.js')

export interface RunningLocal {
  process: ChildProcess
  connection: Connection
  dataDir: string
  /** Everything it wrote on stderr. */
  stderr(): string
  /** Stops it as Ctrl-C would. @returns its exit code */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

export const newDataDir = (): Promise<string> => mkdtemp(join(tmpdir(), 'whisklens-test-'))

export const removeDataDir = (dataDir: string): Promise<void> => rm(dataDir, { recursive: true, force: true })

/** Starts `whisklens up` as users do, in a process of its own, and waits until it says that it is ready. */
export async function startLocalMode(dataDir: string, ...args: string[]): Promise<RunningLocal> {
  return startLocalModeOf([process.execPath, bin], dataDir, ...args)
}

/** As {@link startLocalMode}, of another installation. @param program Node.js and its bin/whisklens.js */
export const startLocalModeOf = (
  program: [string, string],
  dataDir: string,
  ...args: string[]
): Promise<RunningLocal> =>
  // What a test has set is in a copy of its own.
  startLocalModeIn(process.cwd(), process.env, program, dataDir, ...args)

/** As {@link startLocalModeOf}, in a folder and an environment of its own. */
export async function startLocalModeIn(
  cwd: string,
  env: NodeJS.ProcessEnv,
  [node, bin]: [string, string],
  dataDir: string,
  ...args: string[]
): Promise<RunningLocal> {
  const child = spawn(node, [bin, 'up', '--port', '0', '--json', '--data', dataDir, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd,
    env,
  })
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })
  const line = await Promise.race([once(lines, 'line'), exited.then(() => undefined)])
  if (!line) throw new Error(`whisklens up ended before it was ready:\n${stderr}`)
  return {
    process: child,
    connection: JSON.parse(String(line[0])) as Connection,
    dataDir,
    stderr: () => stderr,
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal)
      const [code] = await exited
      return code as number | null
    },
  }
}

/** Runs a command of Whisklens to its end. */
export async function whisklens(args: string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [bin, ...args], { env: { ...process.env, ...env } })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk
  })
  const [code] = await once(child, 'close')
  return { ...output, code: code as number | null }
}

/** Polls until something is there. The bound only keeps a broken run from waiting for ever. */
export async function eventually<T>(
  look: () => Promise<T | undefined | false>,
  what = 'it',
  patience = 90_000,
): Promise<T> {
  for (const end = Date.now() + patience; Date.now() < end; await sleep(100)) {
    const found = await look()
    if (found) return found
  }
  throw new Error(`Waited in vain for ${what}`)
}
