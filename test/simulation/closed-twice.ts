import { resultsNames } from '../../src/batch/state/layout'
import type { Complaints } from './invariants'
import { maxEvents } from './quiet'
import { Objects } from './store/contents'
import { createWorld, type World } from './world'

const files = [...resultsNames, 'summary.json']

/** The state when a run began to close. */
interface Closing {
  batch: string
  run: number
  results: Objects
  images: Objects
  imageChanges: number
  reported: string
}

interface Closed extends Closing {
  files: (string | undefined)[]
}

const filesOf = (results: Objects, batch: string) =>
  files.map((name) => results.get(`batches/${batch}/${name}`)?.body.toString('latin1'))

/** What closing reads besides the document: other parts or images meanwhile may change its files. */
const reportedOf = (results: Objects, batch: string): string =>
  ['parts/', 'arrivals/']
    .flatMap((folder) => results.page(`batches/${batch}/${folder}`, '', 1_000_000))
    .map(({ key, etag }) => key + etag)
    .join()

/** Watches the documents of a world for closed runs. */
export function watchClosings(world: World): { closed(): Closed | undefined } {
  const { results, images } = world
  const begun = new Map<string, Closing>()
  let last: Closed | undefined
  results.onPut = ({ key, body }) => {
    const batch = /^batches\/([^/]+)\/batch\.json$/.exec(key)?.[1]
    if (batch === undefined) return
    const text = body.toString('utf8')
    const isClosing = text.includes('"status":"closing"')
    if (!isClosing && !text.includes('"announced":true')) return
    const { run, segments, queued } = JSON.parse(text)
    const name = `${batch}~${run}`
    if (isClosing && segments.length === 0 && !begun.has(name)) {
      begun.set(name, {
        batch,
        run,
        results: new Objects(results),
        images: new Objects(images),
        imageChanges: images.changes,
        reported: reportedOf(results, batch),
      })
    }
    const closing = begun.get(name)
    if (isClosing || !closing || queued) return
    begun.delete(name)
    const isSame = closing.imageChanges === images.changes && closing.reported === reportedOf(results, batch)
    if (isSame) last = { ...closing, files: filesOf(results, batch) }
  }
  return { closed: () => last }
}

/** Closes a run a second time, from the state when it began to close. */
export async function closeAgain(world: World, closed: Closed, complaints: Complaints): Promise<void> {
  const { batch, results, images } = closed
  const { options, time } = world
  const other = createWorld({
    ...options,
    seed: options.seed + 1,
    rates: {},
    start: time.now,
    results,
    images,
  })
  other.model = world.model
  other.platform.invoke('start-batch', { advance: batch })
  await other.time.run(other.platform.isIdle, maxEvents)
  for (const [index, text] of filesOf(results, batch).entries())
    complaints.expect(
      text === closed.files[index],
      () => `${batch} was closed twice, but ${files[index]} differs:\n${text}\n${closed.files[index]}`,
    )
}
