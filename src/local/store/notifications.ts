import { messageOf } from '../../errors'
import { log } from '../../log'
import { type Bucket, commit } from './bucket'
import { deliver, type Notification, retryDelays } from './delivery'
import { type Event, eventBody } from './event'
import type { Store } from './store'

const recordsPerPost = 16

/** Position in a bucket's events: those up to `n` are done, the next are at or after byte `offset` of the journal. */
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

/** The next events after a cursor, and the cursor's new position. */
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
 * Posts the events of watched buckets. The journal is the queue: a watcher continues reading after each post, so later events
 * are posted together, nothing is queued in memory, and a restart resumes at the last acknowledged line.
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
      // Stopped: the events are left to the next start.
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
      // A newly watched bucket is watched from now on.
      const isNew = bucket.acknowledged === null
      const n = bucket.acknowledged ?? bucket.n
      watcher.cursor = { bucket, n, offset: isNew ? bucket.journal.end() : 0 }
      if (isNew) acknowledge(bucket)
    }
    if (watcher.isPosting) return
    watcher.isPosting = true
    run(watcher).catch((thrown) => {
      watcher.isPosting = false
      log.error({ reason: messageOf(thrown) }, 'notifications paused until the next event')
    })
  }

  store.changed = (bucket) => {
    for (const watcher of watchers.values()) if (watcher.target.bucket === bucket.name) wake(watcher)
  }

  function watch(id: string, target: Notification): void {
    watchers.set(id, { target, isPosting: false, stop: new AbortController() })
  }

  function unwatch(id: string): void {
    watchers.get(id)?.stop.abort()
    watchers.delete(id)
  }

  /** Replaces the targets; existing watchers continue. */
  function set(targets: Notification[]): void {
    const wanted = new Map(targets.map((target) => [JSON.stringify(target), target]))
    for (const id of watchers.keys()) if (!wanted.has(id)) unwatch(id)
    for (const [id, target] of wanted) if (!watchers.has(id)) watch(id, target)
    for (const watcher of watchers.values()) wake(watcher)
    for (const bucket of store.buckets.values()) acknowledge(bucket)
  }

  function stop(): void {
    for (const id of watchers.keys()) unwatch(id)
  }

  return { set, stop }
}
