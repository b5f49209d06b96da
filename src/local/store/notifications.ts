import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../errors'
import { log } from '../../log'
import { type Bucket, commit } from './bucket'
import { type Event, eventBody } from './event'
import type { Store } from './store'

/** Where to post what happens in a bucket. */
export interface Notification {
  bucket: string
  url: string
  /** Sent as `Authorization: Bearer`. */
  token?: string
}

const recordsPerPost = 16
/** Milliseconds before each further try; about three minutes in all. A poll finds what was given up. */
export const retryDelays = [250, 500, 1000, 2000, 5000, 10_000, 20_000, 40_000, 60_000]
/** A blocking activation behind the URL may take a minute. */
const timeout = 90_000

/** The events up to number `n` are done with; the next ones are at or behind byte `offset` of the journal. */
interface Cursor {
  bucket: Bucket
  n: number
  offset: number
}

interface Watcher {
  target: Notification
  cursor?: Cursor
  isPosting: boolean
  stop: AbortController
}

/** Posts once; says what went wrong, and whether trying again can help. */
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

/** Posts `body` until it is taken, refused for good, or tried often enough. */
async function deliver(target: Notification, body: string, stop: AbortSignal, delays: number[]) {
  for (let attempt = 0; !stop.aborted; attempt++) {
    const failure = await post(target, body, stop)
    if (!failure || stop.aborted) return
    const delay = failure.isFinal ? undefined : delays[attempt]
    if (delay === undefined) {
      // Without the query, which may hold a token.
      const to = target.url.replace(/\?.*$/s, '')
      return log.warn({ to, reason: failure.reason }, 'Dropped a notification; a poll will find it')
    }
    await sleep(delay, undefined, { signal: stop }).catch(() => {})
  }
}

/** The next events behind `cursor`, and where it stands after them. */
function eventsAfter({ bucket, ...cursor }: Cursor): { events: Event[]; n: number; offset: number } {
  const events: Event[] = []
  let { n, offset } = cursor
  if (bucket.isClosed) return { events, n, offset }
  for (const { value, end } of bucket.journal.read(offset)) {
    offset = end
    if (value.n <= cursor.n) continue
    n = value.n
    if ('put' in value || 'remove' in value) events.push(value)
    if (events.length === recordsPerPost) break
  }
  return { events, n, offset }
}

/**
 * Posts the events of watched buckets. The journal is the queue: a watcher reads on in it after each post, so events
 * that come meanwhile go together, nothing waits in memory, and a restart resumes at the last acknowledged line.
 */
export function startNotifications(store: Store, delays = retryDelays) {
  const watchers = new Map<string, Watcher>()

  function acknowledge(bucket: Bucket): void {
    const done = [...watchers.values()].flatMap(({ cursor }) => (cursor?.bucket === bucket ? cursor.n : []))
    const n = done.length === 0 ? null : Math.min(...done)
    if (!bucket.isClosed && n !== bucket.acknowledged) commit(bucket, { acknowledged: n })
  }

  async function run(watcher: Watcher): Promise<void> {
    const { target, stop } = watcher
    while (watcher.cursor) {
      const { cursor } = watcher
      const { events, ...next } = eventsAfter(cursor)
      if (events.length > 0) {
        await deliver(target, eventBody(events, target.bucket, store.region), stop.signal, delays)
      }
      // Stopped half-way: the events are left to the next start.
      if (stop.signal.aborted) break
      Object.assign(cursor, next)
      if (events.length === 0) break
      acknowledge(cursor.bucket)
    }
    watcher.isPosting = false
  }

  function wake(watcher: Watcher): void {
    const bucket = store.buckets.get(watcher.target.bucket)
    if (bucket && watcher.cursor?.bucket !== bucket) {
      // A bucket that was not watched before is watched from now on.
      const isNew = bucket.acknowledged === null
      const n = bucket.acknowledged ?? bucket.n
      watcher.cursor = { bucket, n, offset: isNew ? bucket.journal.end() : 0 }
      if (isNew) acknowledge(bucket)
    }
    if (watcher.isPosting) return
    watcher.isPosting = true
    run(watcher).catch((thrown) => {
      watcher.isPosting = false
      log.error({ reason: messageOf(thrown) }, 'Notifications stopped until the next event')
    })
  }

  store.changed = (bucket) => {
    for (const watcher of watchers.values()) if (watcher.target.bucket === bucket.name) wake(watcher)
  }

  /** Watches exactly these; a watcher that is there already goes on where it is. */
  function set(targets: Notification[]): void {
    const wanted = new Map(targets.map((target) => [JSON.stringify(target), target]))
    for (const [id, { stop }] of watchers) {
      if (!wanted.has(id)) stop.abort()
      if (!wanted.has(id)) watchers.delete(id)
    }
    for (const [id, target] of wanted) {
      if (!watchers.has(id)) watchers.set(id, { target, isPosting: false, stop: new AbortController() })
    }
    for (const watcher of watchers.values()) wake(watcher)
    for (const bucket of store.buckets.values()) acknowledge(bucket)
  }

  function stop(): void {
    for (const { stop } of watchers.values()) stop.abort()
    watchers.clear()
  }

  return { set, stop }
}
