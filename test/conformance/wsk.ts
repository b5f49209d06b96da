import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { standInForWsk } from './wsk-stand-in'

/** Address, namespace and credentials of an OpenWhisk. */
export interface Platform {
  apiHost: string
  /** `uuid:key`. */
  auth: string
  namespace: string
  /** Skips certificate verification, common on premises. */
  insecure?: boolean
}

export interface Output {
  code: number | null
  stdout: string
  stderr: string
}

/** Path of a program on PATH. */
export const programOnPath = (name: string): string | undefined =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(existsSync)

/** Runs a program to completion. */
export async function runProgram(
  program: string,
  args: string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<Output> {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (text) => {
    output.stdout += text
  })
  child.stderr.on('data', (text) => {
    output.stderr += text
  })
  const [code] = await once(child, 'close')
  return { ...output, code: code as number | null }
}

const wskBinary = programOnPath('wsk')
export const hasWsk = wskBinary !== undefined

const isThrottled = ({ code, stdout, stderr }: Output): boolean =>
  code !== 0 && /Too many (concurrent )?requests/.test(stdout + stderr)

/**
 * Waits for the next minute of the clock, in which the platform resets its rate limits; rejected requests count, too.
 */
export const untilNextMinute = (): Promise<void> => sleep(60_000 - (Date.now() % 60_000) + 500)

/** Retries a throttled call in the next minute. */
export async function paced(call: () => Promise<Output>): Promise<Output> {
  for (let minutes = 0; ; minutes++) {
    const output = await call()
    if (!isThrottled(output) || minutes === 5) return output
    await untilNextMinute()
  }
}

/**
 * Runs a `wsk` command: by the program if it is on PATH, otherwise by the npm client. Retries a throttled command in
 * the next minute.
 */
export const wsk = (platform: Platform, ...args: string[]): Promise<Output> =>
  paced(() => (wskBinary ? realWsk(wskBinary, platform, args) : standInForWsk(platform, args)))

function realWsk(program: string, { apiHost, auth, insecure }: Platform, args: string[]): Promise<Output> {
  const connection = ['--apihost', apiHost, '--auth', auth, ...(insecure ? ['-i'] : [])]
  return runProgram(program, [...args, ...connection], { env: { ...process.env, HOME: '/nonexistent' } })
}
