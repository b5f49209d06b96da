import { HttpError } from '../http-error'

/** How much a namespace may ask for. */
export interface Limits {
  invocationsPerMinute: number
  concurrentInvocations: number
  firesPerMinute: number
}

/** For work on one's own machine. */
export const generousLimits: Limits = {
  invocationsPerMinute: 6000,
  concurrentInvocations: 200,
  firesPerMinute: 6000,
}

/** What an Apache OpenWhisk server allows unless its operator raises it. */
export const openwhiskLimits: Limits = {
  invocationsPerMinute: 60,
  concurrentInvocations: 30,
  firesPerMinute: 60,
}

export const megabyte = 1024 * 1024

/** The largest there may be, in bytes; code counts in base64, and a PUT holds it and what is said about it. */
export const sizes = { payload: megabyte, result: megabyte, code: 48 * megabyte, put: 50 * megabyte }
export const sequenceLength = 50
/** How long a blocking invocation waits, in milliseconds. */
export const longestWait = 60_000

/** The limits of an action, with their titles in refusals. */
export const actionLimits = {
  timeout: { title: 'duration', unit: ' milliseconds', least: 100, usual: 60_000, most: 300_000 },
  memory: { title: 'memory size', unit: ' MB', least: 128, usual: 256, most: 512 },
  logs: { title: 'log size', unit: ' MB', least: 0, usual: 10, most: 10 },
  concurrency: { title: 'concurrency', unit: '', least: 1, usual: 1, most: 1 },
}

/** Refuses what is larger than `allowed` bytes. */
export function checkSize(what: string, size: number, allowed = sizes.payload): void {
  if (size <= allowed) return
  throw new HttpError(413, 'too_large', `${what} larger than allowed: ${size} > ${allowed} bytes.`)
}

/**
 * Limits a rate by the minute of the clock. As on a real server, refused requests count as well.
 * @param now in milliseconds since the epoch
 */
export function ratePerMinute(allowed: number, now: () => number): () => void {
  let minute = 0
  let count = 0
  return () => {
    const current = Math.floor(now() / 60_000)
    count = current === minute ? count + 1 : 1
    minute = current
    if (count > allowed) throw tooMany('requests in the last minute', count, allowed)
  }
}

export const tooMany = (what: string, count: number, allowed: number): HttpError =>
  new HttpError(429, 'throttled', `Too many ${what} (count: ${count}, allowed: ${allowed}).`)
