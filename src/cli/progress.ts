import { SingleBar } from 'cli-progress'
import type { OutputOptions } from './output'

/** A bar on stderr; nothing where that is no terminal. */
export interface Progress {
  /** @param errors how many of `done` failed */
  update(done: number, total: number, errors: number): void
  /** A line on stderr, above the bar. Errors are said even when notes and bars are not wanted. */
  say(text: string): void
  stop(): void
}

/**
 * Shows how far a command has come.
 * @param options.withLines whether the command prints lines to stdout meanwhile: on the same terminal they are progress
 *   enough, and a bar would be torn by them
 */
export function startProgress(
  noun: string,
  { json, quiet, withLines = false }: OutputOptions & { withLines?: boolean },
): Progress {
  const hidden = quiet || !process.stderr.isTTY || ((withLines || json) && process.stdout.isTTY)
  const write = (text: string) => void process.stderr.write(text)
  if (hidden) return { update: () => {}, say: (text) => write(`${text}\n`), stop: () => {} }
  const bar = new SingleBar({
    format: `{bar} {value}/{total} ${noun}{errors}  {duration_formatted}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    clearOnComplete: true,
    emptyOnZero: true,
    // Left as it is, the terminal needs no repair when we are interrupted.
    linewrap: true,
  })
  bar.start(0, 0, { errors: '' })
  return {
    update: (done, total, errors) => {
      bar.setTotal(total)
      bar.update(done, { errors: errors > 0 ? `, ${errors} in error` : '' })
    },
    // Over the bar, which is drawn again below with the next update.
    say: (text) => write(`\r\x1b[2K${text}\n`),
    stop: () => bar.stop(),
  }
}
