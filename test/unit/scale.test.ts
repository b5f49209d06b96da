import { openRunner, type Runner, unlimited, usual } from '../../bench/scale/runner'
import { table, time } from '../../bench/scale/table'

describe('batches in the scale simulation', () => {
  let runner: Runner
  beforeAll(async () => {
    runner = await openRunner()
  })
  afterAll(() => runner.close())

  it('of 20,000 images classify each once, in bounded memory and with few invocations', async () => {
    // The simulation itself checks that results.jsonl has each image once, in order.
    const found = await runner.batch({ ...usual, images: 20_000 })
    expect(found.totals).toMatchObject({ planned: 20_000, ok: 19_980, error: 20, pending: 0 })
    expect(found.requests['GET image']).toBe(20_000)
    // 79 chunks, 8 small initial chunks, and one activation that reports the model.
    expect(found.activations.classify).toBe(88)
    expect(found.peak).toBeLessThan(256 * 1024 * 1024)
  })

  it('of 60 images use eight warm containers at once', async () => {
    const options = { ...usual, images: 60, coldStart: 0, limits: unlimited }
    const eight = await runner.batch({ ...options, containers: 8 })
    const one = await runner.batch({ ...options, containers: 1 })
    expect(eight.reported - eight.planned).toBeLessThan((one.reported - one.planned) * 0.75)
  })

  it('wait for a small quota', async () => {
    const limits = { invocationsPerMinute: 10, concurrentInvocations: 4, firesPerMinute: 10 }
    const found = await runner.batch({ ...usual, limits, images: 500 }, 25)
    expect(found.activations['start-batch']).toBeGreaterThan(1)
    expect(found.requests['GET image']).toBe(500)
  })
})

describe('tables', () => {
  it('are Markdown', () => {
    expect(
      table([
        ['a', 'long'],
        ['1,000', 2],
      ]),
    ).toBe('|     a | long |\n| ----: | ---: |\n| 1,000 |    2 |\n')
  })

  it('show times', () => {
    expect([0, 59_600, 3_661_000].map(time)).toEqual(['00:00:00', '00:01:00', '01:01:01'])
  })
})
