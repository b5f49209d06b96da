import { once } from 'node:events'
import type { Command } from 'commander'
import type { BatchSummary } from '../../schema'
import { exitCleanly } from './exit'

/** Output options of every command. */
export interface OutputOptions {
  json?: boolean
  quiet?: boolean
}

/** Adds `--json` and `--quiet`, and exits with 130 on Ctrl-C, as shells expect. */
export const outputOptions = (command: Command, json: string): Command =>
  command
    .option('--json', json)
    .option('--quiet', 'no progress or notes on stderr')
    .hook('preAction', () => {
      process.once('SIGINT', () => void exitCleanly(exitCode.interrupted))
    })

export const exitCode = { ok: 0, failed: 1, usage: 2, someInError: 3, interrupted: 130 } as const

/** Exit code of a command that processed several items. */
export function exitCodeOf({ ok, failed }: { ok: number; failed: number }): number {
  if (failed === 0 && ok > 0) return exitCode.ok
  return ok === 0 ? exitCode.failed : exitCode.someInError
}

/** Exit code of a command that waited for batches; 3 if all completed, some with errors. */
export function exitCodeOfBatches(summaries: BatchSummary[]): number {
  if (summaries.some(({ state }) => state !== 'complete')) return exitCode.failed
  const isWhole = ({ totals, tags }: BatchSummary) =>
    totals.error === 0 && Object.keys(tags?.errors ?? {}).length === 0
  return summaries.every(isWhole) ? exitCode.ok : exitCode.someInError
}

/** Writes to stdout and waits for the reader, so that memory stays bounded. */
export async function print(data: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(data)) await once(process.stdout, 'drain')
}

export const printJson = (value: object): Promise<void> => print(`${JSON.stringify(value)}\n`)

/** Commands in a text: not the end of a path or of `DEBUG=whisklens`. */
const commandsIn = /(?<![\w/.=@-]|npx )whisklens (?=[a-z-])/g

/**
 * Writes the commands in a text as they work where this one was started: as `npx whisklens` if npx or a script of npm started
 * it, since the shell may not find `whisklens`.
 */
export const runnable = (text: string): string =>
  process.env.npm_lifecycle_event === undefined ? text : text.replace(commandsIn, 'npx whisklens ')

/** Writes a note to stderr. */
export function note(text: string, { quiet }: OutputOptions): void {
  if (!quiet) process.stderr.write(`${runnable(text)}\n`)
}

/** Notes the wait for a batch to start. */
export const reportWait = (batch: string, options: OutputOptions) => (): void =>
  note(`Waiting for batch ${batch} to start`, options)

/** Suggests the next command; not with `--json`. */
export function next(command: string, options: OutputOptions): void {
  if (!options.json) note(`Next: ${command}`, options)
}

/** Escapes control characters as `\xNN`: names come from outside and could move the cursor or colour the terminal. */
export const printable = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the regex matches them
  text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (char) => {
    return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`
  })

export const percent = (probability: number): string => `${(probability * 100).toFixed(1)} %`

/** `1 image`, `2 images`. */
export const plural = (count: number, noun: string, nouns = `${noun}s`): string =>
  `${count} ${count === 1 ? noun : nouns}`
