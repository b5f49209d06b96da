import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { installed } from './installed'

/** Why no terminal is available here. */
export const terminalMissing =
  (process.platform !== 'linux' || !installed('script')) && 'it needs script of util-linux'

/** Escape sequences: colours, cursor movement, title. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it begins with one
const sequences = /\x1b(?:\[[0-9;?>=]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9]|[=>78])/g

/** Runs a shell command in its own terminal. */
export function openTerminal(
  command: string,
  { columns = 80, cwd, env }: { columns?: number; cwd?: string; env?: NodeJS.ProcessEnv } = {},
) {
  const sized = `stty cols ${columns} rows 50; ${command}`
  const child = spawn('script', ['-qfec', sized, '/dev/null'], {
    cwd,
    env: { ...(env ?? process.env), TERM: 'xterm', COLUMNS: undefined, SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  let screen = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text
  })
  const text = () => screen.replace(sequences, '').replaceAll('\r', '')
  return {
    text,
    type: (keys: string) => void child.stdin.write(keys),
    /** Waits until the text that appeared since the last match matches. */
    async shows(expected: RegExp, patience = 40_000): Promise<string> {
      for (const end = Date.now() + patience; Date.now() < end; await sleep(50)) {
        if (!expected.test(text())) continue
        const shown = text()
        screen = ''
        return shown
      }
      throw new Error(`The terminal does not show ${expected}:\n${text()}`)
    },
    async close(): Promise<void> {
      const closed = once(child, 'close')
      child.kill()
      await closed
    },
    /** Waits for the command to exit. @returns everything shown since the last match */
    async end(): Promise<string> {
      await once(child, 'close')
      return text()
    },
  }
}
