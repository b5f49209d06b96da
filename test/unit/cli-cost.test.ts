import { summaryKey } from '../../src/batch/state/layout'
import { describeSummary } from '../../src/cli/shared/summary'
import type { BatchSummary } from '../../src/schema'
import { run, startStore, summaryOf, temporaryFolder } from './cli-run'

const folder = temporaryFolder()
let store: Awaited<ReturnType<typeof startStore>>

beforeAll(async () => {
  store = await startStore(folder.path)
})
afterAll(() => store.close())

const cost = (...args: string[]) => run(folder.path, ['cost', ...args], store.env)

const put = (summary: BatchSummary) => store.results.put(summaryKey(summary.batch), JSON.stringify(summary))

const totals = (ok: number) => ({ listed: ok, planned: ok, skipped: 0, ok, error: 0, pending: 0 })

const measured = (batch: string, images: number, gbSeconds: number): BatchSummary =>
  summaryOf(batch, {
    totals: totals(images),
    imagesPerSecond: 12.5,
    containers: 2,
    gbSeconds,
    cost: gbSeconds / 100,
    pricePerGbSecond: 0.01,
    startedAt: `2026-11-${batch.slice(6, 8)}T00:00:00.000Z`,
  })

describe('whisklens cost, before any batch,', () => {
  it('reports that there is none', async () => {
    expect(await cost()).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'No batch yet. Start one: whisklens batch <prefix>\n',
    })
    expect((await cost('--quiet')).stderr).toBe('')
    expect((await cost('--json')).lines).toEqual(['{"batches":0,"images":0,"gbSeconds":0,"cost":0}'])
  })

  it('estimates from assumptions, and says so', async () => {
    const { lines } = await cost('--images', '10M')
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
      ['images', '10,000,000'],
      ['GB-s', '500,000'],
      ['cost', '8.5 at 0.000017 a GB-s'],
      ['basis', 'assumed: no batch has been measured yet'],
    ])
  })
})

describe('whisklens cost', () => {
  const rows = [
    { batch: '20261102-000000-bbbbbb', images: 300, gbSeconds: 120, cost: 1.2 },
    { batch: '20261101-000000-aaaaaa', images: 100, gbSeconds: 80, cost: 0.8 },
  ]

  beforeAll(async () => {
    for (const { batch, images, gbSeconds } of rows) await put(measured(batch, images, gbSeconds))
    await put(summaryOf('20261003-000000-cccccc', { startedAt: '2026-10-03T00:00:00.000Z' }))
  })

  it('lists the cost of batches, latest first, and the sum', async () => {
    const { code, lines, stderr } = await cost()
    expect([code, stderr]).toEqual([0, ''])
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
      ['batch', 'images', 'GB-s', 'cost', 'images/s'],
      ['20261102-000000-bbbbbb', '300', '120', '1.2', '12.5'],
      ['20261101-000000-aaaaaa', '100', '80', '0.8', '12.5'],
      ['20261003-000000-cccccc', '0', '–', '–', '–'],
      ['sum of 3', '400', '200', '2'],
    ])
  })

  it('does so in JSON Lines, the sum last', async () => {
    const { lines } = await cost('--json', '--limit', '2')
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      ...rows.map((row) => ({ ...row, pricePerGbSecond: 0.01, imagesPerSecond: 12.5 })),
      { batches: 2, images: 400, gbSeconds: 200, cost: 2 },
    ])
  })

  it('recalculates at another price', async () => {
    const { lines } = await cost('--json', '--limit', '2', '--price', '0.5')
    expect(lines.map((line) => JSON.parse(line).cost)).toEqual([60, 40, 100])
    expect(JSON.parse(lines[0] ?? '').pricePerGbSecond).toBe(0.5)
  })

  it.each([
    ['2000', 2000],
    ['1.5k', 1500],
    ['2m', 2_000_000],
  ])('estimates %s images from measurements', async (text, images) => {
    const { lines } = await cost('--images', text, '--price', '0.01', '--json')
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { images, gbSeconds: images / 2, cost: images / 200, pricePerGbSecond: 0.01, basis: 'measured' },
    ])
  })

  it('estimates at the configured price', async () => {
    const { stdout } = await run(folder.path, ['cost', '--images', '1'], {
      ...store.env,
      WHISKLENS_GB_SECOND_PRICE: '0.1',
    })
    expect(stdout).toMatch(/^cost +0\.05 at 0\.1 a GB-s$/m)
    expect(stdout).toMatch(/^basis +measured: latest batches/m)
  })

  it.each([
    ['--images', '0'],
    ['--images', 'many'],
    ['--images', '10G'],
    ['--images', '0.0001k'],
    ['--images', '99999999999999999'],
    ['--price', '-1'],
    ['--price', ''],
  ])('refuses %s %j', async (...args) => {
    const { code, stdout, stderr } = await cost(...args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(args[0])
  })
})

describe('a summary as text', () => {
  const linesOf = (summary: BatchSummary) =>
    Object.fromEntries(
      describeSummary(summary)
        .split('\n')
        .map((line) => line.split(/ {2,}/)),
    )

  it('has throughput and cost', () => {
    expect(linesOf(measured('20261101-000000-aaaaaa', 100, 80.123))).toMatchObject({
      throughput: '12.5 images/s from 2 containers',
      cost: '0.801 for 80.1 GB-s at 0.01 each',
    })
  })

  it('says why a batch was stopped, without control characters', () => {
    const reason = 'There is no bucket photos\u001b[2J'
    expect(linesOf(summaryOf('b1', { state: 'stopped', exact: false, reason }))).toMatchObject({
      state: 'stopped',
      reason: 'There is no bucket photos\\x1b[2J',
    })
  })

  it('leaves out unknown values, as when nothing was classified', () => {
    const idle = { ...summaryOf('b1'), endedAt: '2026-11-22T07:00:00.000Z' }
    expect(linesOf({ ...idle, engine: null })).toEqual({
      batch: 'b1',
      state: 'complete',
      model: 'm@1',
      images: '3 planned of 3 listed, 0 unchanged and skipped',
      done: '0 ok, 0 in error, 3 pending',
      time: '2026-11-22T07:00:00.000Z',
      '': undefined,
    })
    expect(linesOf({ ...idle, model: null, engine: null })).not.toHaveProperty('model')
    expect(linesOf({ ...idle, engine: 'none' }).model).toBe('m@1')
  })
})
