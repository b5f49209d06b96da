import { acquire } from '../../src/batch/state/acquire'
import type { ClosingBatch } from '../../src/batch/state/batch'
import { readBatch } from '../../src/batch/state/batch'
import { ensureAdvancing } from '../../src/batch/state/hand-over'
import { type Lease, leaseTime, whileHeld } from '../../src/batch/state/lease'
import type { Context } from '../../src/batch/state/platform'
import { beginClosing, ended } from '../../src/batch/state/transitions'
import { OpenWhiskError } from '../../src/errors'
import type { Bucket } from '../../src/storage/store'
import {
  batchOf,
  contextOf,
  doneBatch,
  hastyClock,
  saveBatch,
  silentOpenWhisk,
  startTestStore,
  type TestStore,
} from './batch-fixtures'

let objects: TestStore
let results: Bucket

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  results = await objects.newBucket()
  await saveBatch(results, batchOf('photos'))
})

const context = (id: string, changes: Partial<Context> = {}): Context => {
  const common = contextOf(objects.store, results, changes)
  return { ...common, activation: { ...common.activation, id } }
}

const take = (id: string, waits = false, changes: Partial<Context> = {}): Promise<Lease | undefined> =>
  acquire(context(id, changes), 'b1', { isWorker: waits })

/** The lease of an activation that acquires it. */
async function taken(id: string): Promise<Lease> {
  const lease = await take(id)
  if (!lease) throw new Error(`${id} did not get the lease`)
  return lease
}

describe('the lease of a batch', () => {
  it('goes to one of many concurrent activations', async () => {
    const leases = await Promise.all(Array.from({ length: 12 }, (_, number) => take(`a${number}`)))
    expect(leases.filter((lease) => lease)).toHaveLength(1)
  })

  it('is free after release, and each takeover increments the epoch', async () => {
    const one = await taken('a1')
    await one.release()
    const two = await taken('a2')
    expect(two.epoch).toBe(one.epoch + 1)
    await two.release()
    expect((await taken('a1')).epoch).toBe(two.epoch + 1)
  })

  it('is taken over when its holder has not written for the duration of the lease', async () => {
    await taken('a1')
    const clock = hastyClock()
    const began = clock.now()
    const next = await take('a2', true, { clock })
    expect(next?.epoch).toBe(2)
    expect(clock.now() - began).toBeGreaterThan(leaseTime)
  })

  it('is left to a holder that renews it', async () => {
    const holder = await taken('a1')
    const waiting = take('a2', true)
    await holder.save((batch) => ({ ...batch, busyAt: 1 }))
    expect(await waiting).toBeUndefined()
  })

  it('is awaited by a successor until released', async () => {
    const holder = await taken('a1')
    const waiting = take('a2', true)
    await holder.release()
    expect((await waiting)?.epoch).toBe(2)
  })

  it('keeps a former holder from changing the batch and from releasing the lease', async () => {
    const former = await taken('a1')
    const next = await take('a2', true)
    const change = () => former.save((batch) => ({ ...batch, cancelRequested: true }))
    await expect(change()).rejects.toMatchObject({ code: 'batch_taken_over' })
    await expect(former.verify()).rejects.toMatchObject({ code: 'batch_taken_over' })
    await former.release()
    expect((await readBatch(results, 'b1'))?.lease.holder).toMatch(/^a2\./)
    expect((await next?.save((batch) => ({ ...batch, busyAt: 7 })))?.busyAt).toBe(7)
  })

  it('survives changes by others and two concurrent writes of its holder', async () => {
    const holder = await taken('a1')
    const found = await readBatch(results, 'b1')
    if (found) await saveBatch(results, { ...found, cancelRequested: true })
    await Promise.all([
      holder.save((batch) => ({ ...batch, busyAt: batch.busyAt + 1 })),
      holder.save((batch) => ({ ...batch, busyAt: batch.busyAt + 1 })),
    ])
    expect(await readBatch(results, 'b1')).toMatchObject({ busyAt: 2, cancelRequested: true })
  })

  it('costs no request while fresh and unchanged', async () => {
    const holder = await taken('a1')
    const before = (await readBatch(results, 'b1'))?.revision
    for (let turn = 0; turn < 5; turn++) await holder.save()
    expect((await readBatch(results, 'b1'))?.revision).toBe(before)
  })

  it('is renewed during slow work', async () => {
    const clock = hastyClock()
    const holder = (await take('a1', false, { clock })) as Lease
    await whileHeld(
      holder,
      { clock },
      clock.sleep(60_000).then(() => clock.sleep(5_000)),
    )
    const slow = async () => {
      for (let step = 0; step < 30; step++) await clock.sleep(1_000)
    }
    const { beat } = holder.batch().lease
    await whileHeld(holder, { clock }, slow())
    expect(holder.batch().lease.beat).toBeGreaterThan(beat + 2)
  })

  it('is not taken for a batch without work', async () => {
    const open = doneBatch('photos', 0)
    const over = ended(
      { ...beginClosing(open, 'complete'), revision: 1, writeId: 'w' } as ClosingBatch,
      open.usage,
    )
    await saveBatch(results, { ...over, announced: true, revision: 1, writeId: 'w' })
    expect(await take('a1', true)).toBeUndefined()
    await saveBatch(results, { ...over, revision: 1, writeId: 'w' })
    expect(await take('a1')).toBeDefined()
  })
})

describe('a holder that is leaving', () => {
  it('checks once more, and stays if it finds work', async () => {
    const holder = await taken('a1')
    expect(await holder.leave(async () => true)).toBe(false)
    expect(holder.batch().lease).toMatchObject({ phase: 'working', holder: expect.stringMatching(/^a1/) })
    expect(await holder.leave(async () => false)).toBe(true)
    expect((await readBatch(results, 'b1'))?.lease).toMatchObject({ phase: 'idle', holder: null })
  })

  it('stays if another activation has relied on it meanwhile', async () => {
    const holder = await taken('a1')
    const left = await holder.leave(async () => {
      // Comes later than the check.
      expect(await take('a2')).toBeUndefined()
      return false
    })
    expect(left).toBe(false)
    expect(holder.batch()).toMatchObject({ lease: { phase: 'working' } })
    expect(await holder.leave(async () => false)).toBe(true)
  })
})

describe('a holder that only scans', () => {
  it('is told once that more is expected', async () => {
    await ensureAdvancing(context('poll', { openwhisk: silentOpenWhisk }), 'b1')
    const holder = await take('a1', true)
    expect(holder?.batch().lease.expects).toBe(false)
    const hear = (id: string) => acquire(context(id), 'b1', { isWorker: false, expects: true })
    expect(await hear('event')).toBeUndefined()
    const told = await readBatch(results, 'b1')
    expect(told?.lease).toMatchObject({ expects: true, phase: 'working', epoch: holder?.epoch })
    expect(await hear('another')).toBeUndefined()
    expect((await readBatch(results, 'b1'))?.revision).toBe(told?.revision)
  })
})

describe('ensuring that a batch advances', () => {
  it('invokes one activation for any number of concurrent callers', async () => {
    const asked: object[] = []
    const openwhisk = {
      ...silentOpenWhisk,
      invoke: async (_: string, params: object) => `a${asked.push(params)}`,
    }
    const all = Array.from({ length: 8 }, (_, number) =>
      ensureAdvancing(context(`a${number}`, { openwhisk }), 'b1', { expects: true }),
    )
    expect((await Promise.all(all)).filter((has) => has)).toHaveLength(1)
    expect(asked).toEqual([{ advance: 'b1' }])
    // The lease is offered: a worker takes it at once, others treat it as live.
    expect(await ensureAdvancing(context('b', { openwhisk }), 'b1')).toBe(false)
    const holder = await take('c', true)
    expect(holder?.batch().lease).toMatchObject({ phase: 'working', expects: true })
    expect(await ensureAdvancing(context('d', { openwhisk }), 'b1')).toBe(false)
    expect(asked).toHaveLength(1)
  })

  it('waits until the platform accepts, and holds the lease meanwhile', async () => {
    let refusals = 5
    const openwhisk = {
      ...silentOpenWhisk,
      invoke: async () => {
        if (refusals-- > 0) throw new OpenWhiskError(429, 'Too many concurrent requests', { retryable: true })
        expect((await readBatch(results, 'b1'))?.lease.holder).toMatch(/^a1/)
        return 'a2'
      },
    }
    expect(await ensureAdvancing(context('a1', { openwhisk }), 'b1')).toBe(true)
    expect((await readBatch(results, 'b1'))?.lease).toMatchObject({ phase: 'yielding', watched: false })
  })

  it('releases the lease at its deadline, and marks that work is left', async () => {
    const openwhisk = {
      ...silentOpenWhisk,
      invoke: async () => {
        throw new OpenWhiskError(429, 'Too many concurrent requests', { retryable: true })
      },
    }
    const late = context('a1', { openwhisk })
    late.activation.deadline = late.clock.now() + 6_000
    expect(await ensureAdvancing(late, 'b1')).toBe(false)
    expect((await readBatch(results, 'b1'))?.lease).toMatchObject({ holder: null, phase: 'yielding' })
  })
})
