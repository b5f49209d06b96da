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
  /** Everything written to stderr so far. */
  stderr(): string
  /** Stops it, by default like Ctrl-C. @returns exit code */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

export const newDataDir = (): Promise<string> => mkdtemp(join(tmpdir(), 'whisklens-test-'))

export const removeDataDir = (dataDir: string): Promise<void> => rm(dataDir, { recursive: true, force: true })

/** Starts `whisklens up` in its own process, and waits until it is ready. */
export async function startLocalMode(dataDir: string, ...args: string[]): Promise<RunningLocal> {
  return startLocalModeOf([process.execPath, bin], dataDir, ...args)
}

/** Like {@link startLocalMode}, for another installation. @param program Node.js and its bin/whisklens.js */
export const startLocalModeOf = (
  program: [string, string],
  dataDir: string,
  ...args: string[]
): Promise<RunningLocal> =>
  // Passed explicitly: Jest gives tests their own copy of process.env.
  startLocalModeIn(process.cwd(), process.env, program, dataDir, ...args)

/** Like {@link startLocalModeOf}, with a working folder and environment. */
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

/** Runs a Whisklens command to completion. */
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

/** Polls until the call returns a value. The timeout only stops a broken run. */
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
