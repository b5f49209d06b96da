import { MultiBar } from 'cli-progress'
import type { Headway } from '../../library/batches/follow'
import type { OutputOptions } from './output'
import { duration, type Pace, Pacemaker } from './pace'

export interface ProgressOptions extends OutputOptions {
  /** Whether the command prints lines to stdout meanwhile: on the same terminal they are progress enough. */
  withLines?: boolean
}

/** Says how far things have come: bars on a terminal, a line now and then elsewhere. */
export interface Progress {
  /** Begins to count one more thing; named where there are several. */
  count(noun: string, name?: string): Counter
  /** A line on stderr, above the bars. Errors are said even when notes and bars are not wanted. */
  say(text: string): void
  stop(): void
}

export interface Counter {
  update(headway: Headway): Pace
}

/** Without a terminal, a line is written so often, milliseconds. */
const linesEvery = 15_000

/** A bar is full when it is over, and then it goes. */
const fullest = 0.99

/** `120/500 images, 24/s, 16 s left, 3 in error, 8 running`. */
export function describeHeadway(
  { done, total, errors, isGrowing, running = 0 }: Headway,
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

/** Starts to show how far a command has come. */
export function openProgress(options: ProgressOptions): Progress {
  const { json, quiet, withLines = false } = options
  const write = (text: string) => void process.stderr.write(`${text}\n`)
  // A bar would tear what is printed on the same terminal.
  const isTorn = (withLines || json) && process.stdout.isTTY
  if (process.stderr.isTTY && !quiet && !isTorn) return openBars()
  const isSilent = quiet || json || withLines
  return {
    count: (noun, name) => counter(noun, name, isSilent ? () => {} : nowAndThen(write)),
    say: write,
    stop: () => {},
  }
}

/** The progress of a command that counts one kind of things. */
export function startProgress(noun: string, options: ProgressOptions): Counter & Omit<Progress, 'count'> {
  const progress = openProgress(options)
  return { ...progress, ...progress.count(noun) }
}

/** @param show is given a text, and how much of it is done, 0–1 */
export function counter(
  noun: string,
  name: string | undefined,
  show: (text: string, share: number) => void,
): Counter {
  const pacemaker = new Pacemaker()
  let share = 0
  return {
    update: (headway) => {
      const { done, total, earlier = 0, isGrowing } = headway
      const pace = pacemaker.measure(done, isGrowing ? undefined : total)
      // Never back: what is fired again, or a plan that grows, has a lower share of a higher total.
      const now = isGrowing || total <= earlier ? 0 : Math.min((done - earlier) / (total - earlier), fullest)
      share = Math.max(share, now)
      show(`${name ? `${name} ` : ''}${describeHeadway(headway, noun, pace)}`, share)
      return pace
    },
  }
}

function nowAndThen(write: (text: string) => void): (text: string) => void {
  let written = { text: '', at: Date.now() }
  return (text) => {
    if (text === written.text || Date.now() - written.at < linesEvery) return
    write(text)
    written = { text, at: Date.now() }
  }
}

function openBars(): Progress {
  const bars = new MultiBar({
    format: '{bar} {text}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 20,
    clearOnComplete: true,
    // Left as it is, the terminal needs no repair when we are interrupted.
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
