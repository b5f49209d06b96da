import { MultiBar } from 'cli-progress'
import type { Progress } from '../../library/batches/follow'
import type { OutputOptions } from './output'
import { duration, type Pace, PaceMeter } from './pace'

export interface ProgressOptions extends OutputOptions {
  /** The command prints lines to stdout as it goes, which show progress on a terminal. */
  withLines?: boolean
}

/** Shows progress: bars on a terminal, otherwise a line at intervals. */
export interface ProgressDisplay {
  /** Adds a count, with the name of what is counted. */
  count(noun: string, name?: string): Counter
  /** Writes a line to stderr, above the bars. Also with `--quiet`, since these are errors. */
  say(text: string): void
  stop(): void
}

export interface Counter {
  update(counts: Progress): Pace
}

/** Interval between lines without a terminal, milliseconds. */
const lineInterval = 15_000

/** A full bar would look finished; finished bars are removed. */
const maxFill = 0.99

/** `120/500 images, 24/s, 16 s left, 3 in error, 8 running`. */
export function describeProgress(
  { done, total, errors, isGrowing, running = 0 }: Progress,
  noun: string,
  { perSecond, secondsLeft }: Pace,
): string {
  return [
    `${done}/${total}${isGrowing ? '+' : ''} ${noun}`,
    perSecond !== null && `${perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond)}/s`,
    secondsLeft !== null && secondsLeft > 0 && `${duration(secondsLeft)} left`,
    errors > 0 && `${errors} in error`,
    running > 0 && `${running} running`,
  ]
    .filter(Boolean)
    .join(', ')
}

/** Starts to show the progress of a command. */
export function openProgress(options: ProgressOptions): ProgressDisplay {
  const { json, quiet, withLines = false } = options
  const write = (text: string) => void process.stderr.write(`${text}\n`)
  // A bar would be torn by lines printed to the same terminal.
  const isTorn = (withLines || json) && process.stdout.isTTY
  if (process.stderr.isTTY && !quiet && !isTorn) return openBars()
  const isSilent = quiet || json || withLines
  return {
    count: (noun, name) => counter(noun, name, isSilent ? () => {} : throttled(write)),
    say: write,
    stop: () => {},
  }
}

/** Progress of a command with a single count. */
export function startProgress(
  noun: string,
  options: ProgressOptions,
): Counter & Omit<ProgressDisplay, 'count'> {
  const progress = openProgress(options)
  return { ...progress, ...progress.count(noun) }
}

/** @param show called with a text and the share done, 0–1 */
export function counter(
  noun: string,
  name: string | undefined,
  show: (text: string, share: number) => void,
): Counter {
  const meter = new PaceMeter()
  let share = 0
  return {
    update: (counts) => {
      const { done, total, earlier = 0, isGrowing } = counts
      const pace = meter.measure(done, isGrowing ? undefined : total)
      // Never moves back: a new run, or a plan that grows, has a lower share of a higher total.
      const now = isGrowing || total <= earlier ? 0 : Math.min((done - earlier) / (total - earlier), maxFill)
      share = Math.max(share, now)
      show(`${name ? `${name} ` : ''}${describeProgress(counts, noun, pace)}`, share)
      return pace
    },
  }
}

function throttled(write: (text: string) => void): (text: string) => void {
  let written = { text: '', at: Date.now() }
  return (text) => {
    if (text === written.text || Date.now() - written.at < lineInterval) return
    write(text)
    written = { text, at: Date.now() }
  }
}

function openBars(): ProgressDisplay {
  const bars = new MultiBar({
    format: '{bar} {text}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 20,
    clearOnComplete: true,
    // With line wrap left on, there is nothing to restore after an interrupt.
    linewrap: true,
    gracefulExit: false,
  })
  return {
    count: (noun, name) => {
      const bar = bars.create(1, 0, { text: '' })
      return counter(noun, name, (text, share) => bar.update(share, { text }))
    },
    say: (text) => {
      bars.log(`${text}\n`)
      bars.update()
    },
    stop: () => bars.stop(),
  }
}
