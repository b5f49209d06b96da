import { openObserver } from '../../src/batch/running/observe'
import type { Piece } from '../../src/batch/state/batch'
import { doneBatch, startTestStore, type TestStore } from './batch-fixtures'
import { newRunner, type Runner } from './batch-runner'

let objects: TestStore
let runner: Runner
let asked: string[]

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())
beforeEach(async () => {
  runner = await newRunner(objects)
  asked = []
  runner.openwhisk.resultOf = async (activation) => {
    asked.push(activation)
    return activation === 'a0' ? { next: 'b0' } : activation === 'a1' ? {} : undefined
  }
})

/** Pieces of one image, dispatched at once by activations `a0`, `a1` and so on. */
const pieces = (count: number, at: number, changes: Partial<Piece> = {}): Piece[] =>
  Array.from({ length: count }, (_, start) => {
    const range = { start, end: start + 1 }
    return {
      ...range,
      chunk: { ...range, epoch: 1 },
      at,
      attempts: 1,
      by: 1,
      activationId: `a${start}`,
      ...changes,
    }
  })

const batchWith = (under: Piece[]) => doneBatch('photos', under.length, { dispatch: { pieces: under } })

describe('an activation is polled', () => {
  it('once it could have reported, and then at intervals', async () => {
    const observer = openObserver(runner.context())
    const batch = batchWith(pieces(3, runner.clock.now()))
    await observer.observe(batch)
    expect(asked).toEqual([])
    runner.clock.advance(5_000)
    const { ended } = await observer.observe(batch)
    expect([...ended]).toEqual([
      ['a0', { next: 'b0' }],
      ['a1', {}],
    ])
    expect(asked).toEqual(['a0', 'a1', 'a2'])
    await observer.observe(batch)
    expect(asked).toHaveLength(3)
    runner.clock.advance(5_000)
    await observer.observe(batch)
    expect(asked).toHaveLength(6)
  })

  it('unless its end is known, or it never began', async () => {
    const observer = openObserver(runner.context())
    const [one, two] = pieces(2, 0)
    await observer.observe(
      batchWith([
        { ...(one as Piece), ended: true },
        { ...(two as Piece), activationId: undefined },
      ]),
    )
    expect(asked).toEqual([])
  })

  it('with a limited number of others, least recently polled first', async () => {
    const observer = openObserver(runner.context())
    const batch = batchWith(pieces(100, runner.clock.now() - 60_000))
    await observer.observe(batch)
    expect(asked).toHaveLength(64)
    await observer.observe(batch)
    expect(new Set(asked).size).toBe(100)
  })
})
