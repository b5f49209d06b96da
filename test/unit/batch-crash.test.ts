import { readChunk } from '../../src/batch/records/chunks'
import { advance } from '../../src/batch/running/advance'
import { aggregate } from '../../src/batch/running/aggregate'
import { fire } from '../../src/batch/running/fire'
import { reconcile } from '../../src/batch/running/reconcile'
import { parseBatchRequest } from '../../src/batch/running/request'
import { readBatch } from '../../src/batch/state/batch'
import { isConcluded } from '../../src/batch/state/lease'
import type { Context } from '../../src/batch/state/platform'
import { isoOf } from '../../src/clock'
import type { OpenWhisk } from '../../src/openwhisk/client'
import type { Bucket } from '../../src/storage/store'
import { isFull } from '../long/sizes'
import { collect, minutes, startTestStore, type TestStore } from './batch-fixtures'
import { newRunner, type Runner } from './batch-runner'

jest.setTimeout(1_200_000)

let objects: TestStore

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())

/** Kills an activation at a call, before or after its effect. */
type Fate = { at: number; after: boolean }

/** A platform that runs activations one after the other, and kills one of them at a call to the store or the platform. */
class World {
  calls = 0
  died = ''
  queue: (() => Promise<unknown>)[] = []
  ended = new Set<string>()

  constructor(
    readonly runner: Runner,
    readonly fate: Fate,
  ) {}

  /** Counts the calls of an activation, until it dies. */
  private guard<T extends object>(target: T, life: { dead: boolean }, name: string): T {
    return new Proxy(target, {
      get: (object, method) => {
        const value: unknown = Reflect.get(object, method)
        if (typeof value !== 'function') return value
        if (method === 'list' || method === 'lines' || method === 'folders')
          return (...args: unknown[]) => {
            if (life.dead) throw new Error('It is gone')
            return value.apply(object, args)
          }
        return async (...args: unknown[]) => {
          if (life.dead) throw new Error('It is gone')
          const isFatal = this.calls++ === this.fate.at
          if (isFatal) {
            life.dead = true
            this.died = `${name} ${String(method)} ${String(args[0])}`
            if (this.fate.after) await value.apply(object, args)
            throw new Error('It is gone')
          }
          const answer = await value.apply(object, args)
          if (life.dead) throw new Error('It is gone')
          return answer
        }
      },
    })
  }

  private context(name: string): Context {
    const life = { dead: false }
    const { runner } = this
    const base = runner.context()
    const bucket = (id: string): Bucket => this.guard(objects.store.bucket(id), life, name)
    const openwhisk: OpenWhisk = {
      ...runner.openwhisk,
      invoke: async (action, params) => {
        const id = `i${Math.random().toString(16).slice(2)}`
        this.queue.push(() => this.run(action, params as Record<string, unknown>, id))
        return id
      },
      resultOf: async (id) => (this.ended.has(id) ? {} : undefined),
    }
    return {
      ...base,
      store: { bucket },
      results: bucket(runner.results.name),
      openwhisk: this.guard(openwhisk, life, name),
    }
  }

  async run(action: string, params: Record<string, unknown>, id: string): Promise<void> {
    const context = this.context(action)
    context.activation = { ...context.activation, id, deadline: this.runner.clock.now() + 85_000 + 4_000 }
    const work = action.endsWith('start-batch') ? this.start(params, context) : this.classify(params, context)
    await work.catch((thrown) => {
      if (!String(thrown).includes('gone')) throw thrown
    })
    this.ended.add(id)
  }

  private async start(params: Record<string, unknown>, context: Context): Promise<unknown> {
    const request = parseBatchRequest(JSON.parse(JSON.stringify(params)))
    return 'advance' in request ? advance(request, context) : fire(request, context)
  }

  private async classify(params: Record<string, unknown>, context: Context): Promise<unknown> {
    const { batch, chunk, start, end, model, by } = params as never as {
      batch: string
      chunk: { start: number; end: number; epoch: number }
      start: number
      end: number
      model: string
      by: number
    }
    const images = (await readChunk(context.results, batch, chunk)).slice(
      start - chunk.start,
      end - chunk.start,
    )
    const records = images.map(({ key, etag = null }) => ({
      ...this.runner.recordOf(key, etag),
      at: isoOf(this.runner.clock.now()),
    }))
    return aggregate({ batch, images: records, part: { start, end, chunk, model, by } }, context)
  }

  /** Runs all invocations, and reconciles until none are left. */
  async settle(batch: string): Promise<void> {
    for (let turn = 0; turn < 200; turn++) {
      const job = this.queue.shift()
      if (job) {
        await job()
        continue
      }
      const found = await readBatch(this.runner.results, batch)
      if (found && isConcluded(found)) return
      this.runner.clock.advance(minutes(10))
      // The lease of a dead holder has expired by then; the store’s clock is the real one.
      await this.start({ advance: batch }, this.context('reconcile')).catch(() => {})
      await reconcile(this.context('reconcile'))
    }
    throw new Error(`It does not end: died at ${this.died}`)
  }
}

const request = { batch: 'b1', chunkSize: 2 }

let fires = 0

async function fireInto(world: World): Promise<void> {
  const { results } = world.runner
  const run = async () => (await readBatch(results, 'b1'))?.run ?? 0
  // A fire that was lost before it was stored is repeated.
  for (const before = await run(); (await run()) === before; )
    await world.run('/guest/whisklens/start-batch', request, `fired ${++fires}`)
  await world.settle('b1')
}

/** A batch of eight images, in which one activation dies. */
async function first(fate: Fate) {
  const runner = await newRunner(objects)
  for (let n = 0; n < 8; n++) await runner.photos.put(`k${n}`, 'v1')
  const world = new World(runner, fate)
  await fireInto(world)
  return world
}

/** The batch fired again after one image changed, one was deleted and one was added. */
async function second(fate: Fate) {
  const { runner } = await first({ at: -1, after: false })
  await runner.photos.put('k1', 'v2')
  await runner.photos.delete('k3')
  await runner.photos.put('k9', 'v1')
  const world = new World(runner, fate)
  await fireInto(world)
  return world
}

/** The expected results: each existing image, in its current version. */
async function outcomeOf({ runner }: World) {
  const records = await runner.recordsOf('b1')
  const expected = await collect(runner.photos.list())
  return {
    found: records.map(({ key, etag }) => `${key} ${etag}`),
    expected: expected.map(({ key, etag }) => `${key} ${etag}`),
  }
}

it.each([
  ['fired', first],
  ['fired again', second],
])('a batch that is %s has each image once, wherever one activation dies', async (_, live) => {
  const { calls } = await live({ at: -1, after: false })
  const failures: string[] = []
  for (let at = 0; at < calls; at += isFull ? 1 : 9)
    for (const after of [false, true]) {
      const world = await live({ at, after })
      const { found, expected } = await outcomeOf(world)
      if (JSON.stringify(found) !== JSON.stringify(expected))
        failures.push(`${at} ${after} ${world.died}: ${found}`)
    }
  process.stderr.write(`${calls} calls, each ${isFull ? '' : 'ninth '}before and after\n`)
  expect(calls).toBeGreaterThan(50)
  expect(failures).toEqual([])
})
