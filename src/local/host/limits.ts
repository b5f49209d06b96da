import { HttpError } from '../http-error'

/** Rate limits of a namespace. */
export interface Limits {
  invocationsPerMinute: number
  concurrentInvocations: number
  firesPerMinute: number
}

/** Limits for work on a single machine. */
export const generousLimits: Limits = {
  invocationsPerMinute: 6000,
  concurrentInvocations: 200,
  firesPerMinute: 6000,
}

/** Defaults of an Apache OpenWhisk server. */
export const openwhiskLimits: Limits = {
  invocationsPerMinute: 60,
  concurrentInvocations: 30,
  firesPerMinute: 60,
}

export const megabyte = 1024 * 1024

/** Maximum sizes, bytes. Code is base64; a PUT holds code and metadata. */
export const sizes = { payload: megabyte, result: megabyte, code: 48 * megabyte, put: 50 * megabyte }
export const sequenceLength = 50
/** Maximum duration of a blocking invocation, milliseconds. */
export const maxWait = 60_000

/** Limits of an action, with their titles in error messages. */
export const actionLimits = {
  timeout: { title: 'duration', unit: ' milliseconds', min: 100, defaultValue: 60_000, max: 300_000 },
  memory: { title: 'memory size', unit: ' MB', min: 128, defaultValue: 256, max: 512 },
  logs: { title: 'log size', unit: ' MB', min: 0, defaultValue: 10, max: 10 },
  concurrency: { title: 'concurrency', unit: '', min: 1, defaultValue: 1, max: 1 },
}

/** @param allowed bytes @throws HttpError 413 */
export function checkSize(what: string, size: number, allowed = sizes.payload): void {
  if (size <= allowed) return
  throw new HttpError(413, 'too_large', `${what} larger than allowed: ${size} > ${allowed} bytes.`)
}

/**
 * Rate limit per clock minute. As on a real server, refused requests count, too.
 * @param now current time, milliseconds since the epoch
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
