import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parquetReadObjects } from 'hyparquet'
import { columns } from '../../src/batch/reports/columns'
import { querySchema } from '../../src/batch/reports/query'
import { resultsKey, summaryKey } from '../../src/batch/state/layout'
import { commands } from '../../src/cli/commands'
import { createProgram } from '../../src/cli/program'
import { type ImageRecord, recordSchema } from '../../src/schema'
import { batchOf, errorRecord, okRecord, saveBatch, tabby } from './batch-fixtures'
import { run, startStore, summaryOf, temporaryFolder } from './cli-run'

const folder = temporaryFolder()
let store: Awaited<ReturnType<typeof startStore>>
const beagle = { label: 'beagle', className: 'beagle', wordnetId: 'n02088364', index: 162, probability: 0.4 }
const records: ImageRecord[] = [
  okRecord('=cmd.jpg', { exif: { takenAt: '2026-05-01T10:00:00', camera: 'Canon EOS R5' } }),
  okRecord('b.jpg', {
    labels: [beagle],
    exif: { takenAt: '2026-06-01T10:00:00+02:00', position: { latitude: -1.5, longitude: 2 } },
  }),
  errorRecord('c.jpg'),
]

beforeAll(async () => {
  store = await startStore(folder.path)
  const lines = records.map((record) => `${JSON.stringify(record)}\n`)
  await store.results.put(resultsKey('b1', 'results.jsonl'), lines.join(''))
  await store.results.put(summaryKey('b1'), JSON.stringify(summaryOf('b1', { state: 'complete' })))
})
afterAll(() => store.close())

const results = (...args: string[]) => run(folder.path, ['results', 'b1', ...args], store.env)
const names = columns.map(({ name }) => name)

describe('whisklens results', () => {
  it('prints the same columns as CSV, JSON Lines and Parquet', async () => {
    const csv = (await results('--csv')).stdout.split('\r\n')
    expect(csv[0]?.replace('\uFEFF', '').split(',')).toEqual(names)
    const rows = (await results('--jsonl')).lines.map((line) => JSON.parse(line))
    expect(rows.map((row) => Object.keys(row))).toEqual(records.map(() => names))
    await results('--parquet', 'all.parquet')
    const file = new Uint8Array(await readFile(join(folder.path, 'all.parquet'))).buffer
    const read = await parquetReadObjects({ file })
    expect(read.map((row) => Object.keys(row))).toEqual(records.map(() => names))
    for (const [index, row] of read.entries())
      for (const name of ['key', 'label', 'error', 'camera', 'latitude', 'width'])
        expect(row[name]).toEqual(rows[index][name])
    expect(read[1]).toMatchObject({ takenAt: new Date('2026-06-01T10:00:00Z'), latitude: -1.5, longitude: 2 })
  })

  it('prints CSV that is safe in a spreadsheet, or raw with --raw', async () => {
    const safe = (await results('--csv')).stdout
    expect(safe).toContain(",'=cmd.jpg,ok,")
    expect(safe.startsWith('\uFEFFbucket')).toBe(true)
    const raw = (await results('--raw')).stdout
    expect(raw).toContain(',=cmd.jpg,ok,')
    expect(raw.startsWith('bucket')).toBe(true)
    expect((await results('--raw', '--jsonl')).code).toBe(2)
  })

  it('prints whole records with --json', async () => {
    const { lines } = await results('--json')
    expect(lines.map((line) => recordSchema.parse(JSON.parse(line)))).toEqual(records)
  })

  it('filters by date and camera', async () => {
    const keys = async (...args: string[]) =>
      (await results('--jsonl', ...args)).lines.map((line) => JSON.parse(line).key)
    expect(await keys('--taken-since', '2026-06')).toEqual(['b.jpg'])
    expect(await keys('--taken-until', '2026-05')).toEqual(['=cmd.jpg'])
    expect(await keys('--camera', 'canon')).toEqual(['=cmd.jpg'])
    const { code, stderr } = await results('--taken-since', 'yesterday')
    expect(code).toBe(2)
    expect(stderr).toContain('Expected a date such as 2026-05')
  })
})

describe('without an id, whisklens results', () => {
  const totals = { listed: 3, planned: 0, skipped: 3, ok: 0, error: 0, pending: 0 }

  it('prints the newest batch that has records', async () => {
    await store.results.put(
      summaryKey('b1'),
      JSON.stringify(summaryOf('b1', { totals: { ...totals, planned: 3, skipped: 0, ok: 2, error: 1 } })),
    )
    const skipped = summaryOf('b2', { totals, startedAt: '2026-11-23T07:00:00.000Z' })
    await store.results.put(summaryKey('b2'), JSON.stringify(skipped))
    await store.results.put(resultsKey('b2', 'results.jsonl'), '')
    const { code, stderr, lines } = await run(folder.path, ['results', '--jsonl'], store.env)
    expect([code, stderr, lines.length]).toEqual([0, 'Batch b1\n', 3])
    const named = await run(folder.path, ['results', 'b2', '--jsonl'], store.env)
    expect([named.code, named.lines]).toEqual([0, []])
  })
})

describe('of a batch without records, whisklens results', () => {
  const totals = { listed: 3, planned: 0, skipped: 3, ok: 0, error: 0, pending: 0 }

  it.each([
    ['skipped', 'The batch has no records: the images that it skipped are in earlier batches\n', { totals }],
    ['nothing', 'The batch has no records\n', { totals: { ...totals, listed: 0, skipped: 0 } }],
  ])('says why: %s', async (batch, expected, standing) => {
    const summary = summaryOf(batch, { ...standing, startedAt: '2026-11-20T07:00:00.000Z' })
    await store.results.put(summaryKey(batch), JSON.stringify(summary))
    await store.results.put(resultsKey(batch, 'results.jsonl'), '')
    const { code, stderr } = await run(folder.path, ['results', batch], store.env)
    expect([code, stderr]).toEqual([0, expected])
  })

  it('says that an open one has none yet', async () => {
    const open = batchOf('photos', {}, { batch: 'open' })
    await saveBatch(store.results, open)
    const summary = summaryOf('open', { state: 'running', startedAt: open.startedAt, totals })
    await store.results.put(summaryKey('open'), JSON.stringify(summary))
    const { code, stderr } = await run(folder.path, ['results', 'open'], store.env)
    expect([code, stderr]).toEqual([0, 'The batch has no records yet\n'])
  })

  it('fails for a day to which nothing was uploaded', async () => {
    const day = 'uploads-2026-11-23'
    await saveBatch(store.results, batchOf('photos', {}, { batch: day, kind: 'uploads' }))
    const { code, stdout, stderr } = await run(folder.path, ['results', day], store.env)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^error: There is no batch "uploads-2026-11-23"\nhint: /)
  })
})

describe('the filters of whisklens results', () => {
  const keys = async (...args: string[]) =>
    (await results('--jsonl', ...args)).lines.map((line) => JSON.parse(line).key)

  it.each<[string, string[]]>([
    ['--label-is tabby', ['=cmd.jpg']],
    ['--label-is tab', []],
    ['--label-is tabby --label-is beagle', ['=cmd.jpg', 'b.jpg']],
    ['--search TAB', ['=cmd.jpg']],
    ['--search canine', ['b.jpg']],
    ['--search c.jp', ['c.jpg']],
    ['--code image_corrupt', ['c.jpg']],
    ['--code image_empty', []],
    ['--max-probability 0.5', ['b.jpg', 'c.jpg']],
    ['--min-probability 0.2 --max-probability 0.5', ['b.jpg']],
  ])('%s', async (filters, expected) => {
    expect(await keys(...filters.split(' '))).toEqual(expected)
  })

  it('refuse a probability above 1', async () => {
    const { code, stderr } = await results('--max-probability', '30')
    expect(code).toBe(2)
    expect(stderr).toContain('Expected a number from 0 to 1.')
  })

  it('are all that the action results has', async () => {
    const command = (await createProgram(commands, ['results'])).commands[0]
    const options = new Set(command?.options.map((option) => option.attributeName()))
    expect(Object.keys(querySchema.shape).filter((name) => !options.has(name))).toEqual([])
  })
})

describe('labels.json', () => {
  const labels = async (...args: string[]) => {
    const { code, lines, stderr } = await results('--jsonl', '--status', 'ok', '--limit', '1', ...args)
    return { code, label: lines[0] && JSON.parse(lines[0]).label, stderr }
  }
  beforeAll(() => store.results.put('labels.json', JSON.stringify({ rename: { tabby: 'Katze' } })))
  afterAll(() => store.results.delete('labels.json'))

  it('in the results bucket, or a file instead, renames labels', async () => {
    expect(await labels()).toMatchObject({ code: 0, label: 'Katze' })
    await writeFile(join(folder.path, 'mine.json'), JSON.stringify({ groups: { animal: ['cat'] } }))
    expect(await labels('--labels', 'mine.json')).toMatchObject({ code: 0, label: 'animal' })
    expect(await labels('--no-labels')).toMatchObject({ code: 0, label: tabby.label })
  })

  it('that ignores all labels of an image leaves it without one', async () => {
    await writeFile(join(folder.path, 'none.json'), JSON.stringify({ ignore: ['entity'] }))
    expect(await labels('--labels', 'none.json')).toMatchObject({ code: 0, label: null })
    expect((await results('--labels', 'none.json', '--status', 'ok')).stdout).toContain('no label')
  })

  it('that is invalid or missing is an error that says where and why', async () => {
    await writeFile(join(folder.path, 'wrong.json'), '{"renames":{}}')
    const wrong = await labels('--labels', 'wrong.json')
    expect(wrong.code).toBe(1)
    expect(wrong.stderr).toMatch(/wrong\.json cannot be used: .*renames/s)
    const missing = await labels('--labels', 'nothing.json')
    expect(missing.code).toBe(1)
    expect(missing.stderr).toContain('nothing.json cannot be read')
    await store.results.put('labels.json', 'no json')
    const stored = await labels()
    expect(stored.code).toBe(1)
    expect(stored.stderr).toContain('/labels.json cannot be used')
  })
})
