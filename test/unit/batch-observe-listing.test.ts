import fc from 'fast-check'
import { openObserver, spansOf } from '../../src/batch/running/observe'
import type { OpenBatch, Piece } from '../../src/batch/state/batch'
import { chunkKey, partKey } from '../../src/batch/state/layout'
import type { Context } from '../../src/batch/state/platform'
import type { Bucket } from '../../src/storage/store'
import { batchOf, hastyClock, objectInfo, silentOpenWhisk } from './batch-fixtures'

const size = 250
const chunkOf = (n: number) => ({ start: n * size, end: (n + 1) * size, epoch: 1 })
const pieceOf = (n: number): Piece => ({ ...chunkOf(n), chunk: chunkOf(n), at: 1, attempts: 1, by: 1 })

/** A bucket with a part for each of this many chunks, except those in flight. Counts the parts it lists. */
function resultsOf(chunks: number, underWay: number[]) {
  const listed = { parts: 0 }
  const names = Array.from({ length: chunks }, (_, n) => n).filter((n) => !underWay.includes(n))
  const parts = names.map((n) => partKey('b1', { ...chunkOf(n), errors: 0 }, 'a1'))
  const planned = Array.from({ length: chunks + 5 }, (_, n) => chunkKey('b1', chunkOf(n)))
  const list: Bucket['list'] = async function* ({ prefix = '', startAfter = '' } = {}) {
    for (const key of [...planned, ...parts])
      if (key.startsWith(prefix) && key > startAfter) {
        listed.parts += Number(parts.includes(key))
        yield objectInfo(key)
      }
  }
  return { listed, bucket: { list } as Bucket }
}

const observe = (batch: OpenBatch, results: Bucket) =>
  openObserver({ results, openwhisk: silentOpenWhisk, clock: hastyClock() } as unknown as Context).observe(
    batch,
  )

describe('the observation of a batch', () => {
  it('lists parts from the oldest piece on, skipping long reported spans', async () => {
    const underWay = [3, 4_000, 4_001]
    const { bucket, listed } = resultsOf(4_100, underWay)
    const pieces = underWay.map(pieceOf)
    const batch = batchOf(
      'photos',
      {},
      { plan: { planned: 4_100 * size }, dispatch: { next: 4_100 * size, pieces } },
    )
    const { parts } = await observe(batch, bucket)
    expect(parts).toEqual([])
    expect(listed.parts).toBeLessThan(200)
  })

  it('lists undispatched chunks if the window has room', async () => {
    const { bucket } = resultsOf(10, [9])
    const plan = { planned: 12 * size }
    const batch = batchOf('photos', {}, { plan, dispatch: { next: 10 * size, pieces: [pieceOf(9)] } })
    expect((await observe(batch, bucket)).ready).toEqual([chunkOf(10), chunkOf(11)])
    batch.dispatch.window.size = 1
    expect((await observe(batch, bucket)).ready).toEqual([])
  })

  it('misses no position of a piece in flight', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20_000), { minLength: 1, maxLength: 20 }), (numbers) => {
        const found = spansOf(numbers.map((n) => ({ chunk: chunkOf(n) })))
        for (const n of numbers)
          expect(found.some(({ start, end }) => start <= n * size && (n + 1) * size <= end)).toBe(true)
        for (const [index, { start }] of found.entries())
          expect(start).toBeGreaterThan(found[index - 1]?.end ?? -1)
      }),
    )
  })
})
