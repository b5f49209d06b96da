import { once } from 'node:events'
import type { Command } from 'commander'
import type { BatchSummary } from '../../schema'
import { leave } from './leave'

/** What every command can be told about its output. */
export interface OutputOptions {
  json?: boolean
  quiet?: boolean
}

/** Adds `--json` and `--quiet` to a command, and has Ctrl-C end it with 130, as shells expect. */
export const outputOptions = (command: Command, json: string): Command =>
  command
    .option('--json', json)
    .option('--quiet', 'no progress or notes on stderr')
    .hook('preAction', () => {
      process.once('SIGINT', () => void leave(exitCode.interrupted))
    })

export const exitCode = { ok: 0, failed: 1, usage: 2, someInError: 3, interrupted: 130 } as const

/** The exit code of a command that did `ok` things and failed at `failed` of them. */
export function exitCodeOf({ ok, failed }: { ok: number; failed: number }): number {
  if (failed === 0 && ok > 0) return exitCode.ok
  return ok === 0 ? exitCode.failed : exitCode.someInError
}

/** The exit code of a command that waited for batches: 3 says that all was done, though some of it is in error. */
export function exitCodeOfBatches(summaries: BatchSummary[]): number {
  if (summaries.some(({ state }) => state !== 'complete')) return exitCode.failed
  const isWhole = ({ totals, tags }: BatchSummary) =>
    totals.error === 0 && Object.keys(tags?.errors ?? {}).length === 0
  return summaries.every(isWhole) ? exitCode.ok : exitCode.someInError
}

/** Writes data to stdout; waits while its reader is behind, so that memory stays bounded. */
export async function print(data: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(data)) await once(process.stdout, 'drain')
}

export const printJson = (value: object): Promise<void> => print(`${JSON.stringify(value)}\n`)

/** A note for people, on stderr. */
export function note(text: string, { quiet }: OutputOptions): void {
  if (!quiet) process.stderr.write(`${text}\n`)
}

/** Notes that a batch has not begun yet. */
export const notedWait = (batch: string, options: OutputOptions) => (): void =>
  note(`Waiting for the batch ${batch} to begin`, options)

/** Names the command that is likely to come next; programs need no such advice. */
export function next(command: string, options: OutputOptions): void {
  if (!options.json) note(`Next: ${command}`, options)
}

/** Names come from outside: what would move a terminal's cursor or colour it is shown as `\xNN`. */
export const printable = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
  text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (char) => {
    return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`
  })

export const percent = (probability: number): string => `${(probability * 100).toFixed(1)} %`

/** `1 image`, `2 images`. */
export const plural = (count: number, noun: string, nouns = `${noun}s`): string =>
  `${count} ${count === 1 ? noun : nouns}`
