import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../errors'
import { log } from '../../log'

/** Target of a bucket's notifications. */
export interface Notification {
  bucket: string
  url: string
  /** Sent as `Authorization: Bearer`. */
  token?: string
}

/** Delays between attempts, milliseconds; about three minutes in total. Polling finds the objects of dropped notifications. */
export const retryDelays = [250, 500, 1000, 2000, 5000, 10_000, 20_000, 40_000, 60_000]
/** Longer than a blocking activation behind the URL, at most a minute. */
const timeout = 90_000

/** Posts once. @returns the failure, if any, and whether it is final */
async function post({ url, token }: Notification, body: string, stop: AbortSignal) {
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  if (token !== undefined) headers.authorization = `Bearer ${token}`
  const signal = AbortSignal.any([stop, AbortSignal.timeout(timeout)])
  try {
    const answer = await fetch(url, { method: 'POST', headers, body, signal })
    await answer.body?.cancel()
    if (answer.ok) return undefined
    return { reason: `status ${answer.status}`, isFinal: answer.status < 500 && answer.status !== 429 }
  } catch (thrown) {
    return { reason: messageOf(thrown), isFinal: false }
  }
}

/** Posts `body` until it is accepted, rejected for good, or out of retries. */
export async function deliver(target: Notification, body: string, stop: AbortSignal, delays: number[]) {
  for (let attempt = 0; !stop.aborted; attempt++) {
    const failure = await post(target, body, stop)
    if (!failure || stop.aborted) return
    const delay = failure.isFinal ? undefined : delays[attempt]
    if (delay === undefined) {
      // Without the query, which may hold a token.
      const to = target.url.replace(/\?.*$/s, '')
      return log.warn({ to, reason: failure.reason }, 'notification dropped; a poll will find the upload')
    }
    await sleep(delay, undefined, { signal: stop }).catch(() => {})
  }
}
