import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { toJsonLines } from '../../src/batch/records/json-lines'
import { initialRecord } from '../../src/batch/records/record'
import { resultsKey, summaryKey } from '../../src/batch/state/layout'
import { followBatch } from '../../src/library/batches/follow'
import type { BatchSummary } from '../../src/schema'
import type { Bucket } from '../../src/storage/store'
import { run, samples, startStore, summaryOf, temporaryFolder } from './cli-run'

const folder = temporaryFolder()
let store: Awaited<ReturnType<typeof startStore>>
let images: Bucket
let results: Bucket

beforeAll(async () => {
  await writeFile(join(folder.path, 'one.jpg'), 'one')
  store = await startStore(folder.path)
  images = store.images
  results = store.results
})

afterAll(() => store.close())

const whisklens = (...args: string[]) => run(folder.path, args, store.env)

const putSummary = (summary: BatchSummary) => results.put(summaryKey(summary.batch), JSON.stringify(summary))

describe('whisklens upload', () => {
  it('uploads files and the images of folders under a prefix, large files in parts, and reports it', async () => {
    const big = Buffer.alloc(9_000_000, 'whisklens')
    await mkdir(join(folder.path, 'up', '2026'), { recursive: true })
    await writeFile(join(folder.path, 'up', '2026', 'a b+c.PNG'), 'a')
    await writeFile(join(folder.path, 'up', 'big.tif'), big)
    for (const name of ['.secret.jpg', 'notes.txt']) await writeFile(join(folder.path, 'up', name), 'no')
    const { code, lines, stderr } = await whisklens('upload', '--json', '--prefix', 'in/', 'up', 'one.jpg')
    expect(code).toBe(0)
    const objects = lines.map((line) => JSON.parse(line))
    expect(objects.map(({ bucket, key, size }) => [bucket, key, size])).toEqual([
      ['images', 'in/2026/a b+c.PNG', 1],
      ['images', 'in/big.tif', big.length],
      ['images', 'in/one.jpg', 3],
    ])
    expect(stderr).toBe(
      'Skipped 1 file that is not an image: 1 .txt\nUploaded 3 files (9.0 MB) to s3://images/in/\n',
    )
    expect((await images.get('in/big.tif')).body.equals(big)).toBe(true)
    expect(objects[2].etag).toBe(createHash('md5').update('one').digest('hex'))
    for (const { key, etag } of objects) expect((await images.head(key))?.etag).toBe(etag)
  })

  it('continues if one file cannot be read', async () => {
    const { code, stdout, stderr } = await whisklens('upload', 'nowhere', 'one.jpg')
    expect([code, stdout]).toEqual([3, ''])
    expect(stderr).toContain('error: There is no file or folder nowhere\n')
    expect(stderr).toContain('Uploaded 1 file (1 kB) to s3://images/, 1 failed\n')
  })

  it('fails immediately if the bucket is missing', async () => {
    const { code, stderr } = await whisklens('upload', 'one.jpg', '--bucket', 'nobucket')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: Could not write s3:\/\/nobucket\/one\.jpg: .*\nhint: Create the bucket/)
  })
})

describe('whisklens classify s3://…', () => {
  it('classifies the images with a prefix, and an object named explicitly', async () => {
    expect((await whisklens('upload', '--prefix', 'photos/', samples)).code).toBe(0)
    const { code, lines } = await whisklens('classify', '--json', '--top', '1', 's3://images/photos/c')
    const records = lines.map((line) => JSON.parse(line))
    expect(code).toBe(0)
    expect(records.map(({ file }) => file)).toEqual(
      ['camera', 'cat', 'coffee'].map((n) => `s3://images/photos/${n}.jpg`),
    )
    expect(records[2].labels).toMatchObject([{ label: 'espresso' }])
    await images.put('photos/cat', 'this is no photo')
    const named = await whisklens('classify', '--json', 's3://images/photos/cat', '--top', '1')
    const found = named.lines.map((line) => JSON.parse(line))
    expect(found.map(({ file }) => file)).toEqual(['s3://images/photos/cat', 's3://images/photos/cat.jpg'])
    expect([named.code, found[0].error.code]).toEqual([3, 'image_unsupported'])
  })
})

describe('batches', () => {
  const record = (key: string, label?: string, probability = 0.9) => ({
    ...initialRecord({ bucket: 'images', key }, { model: 'm@1', engine: 'wasm', activationId: 'a', at: 0 }),
    ...(label
      ? {
          status: 'ok',
          labels: [{ label, className: `${label}, other`, wordnetId: 'n1', index: 1, probability }],
        }
      : { error: { code: 'image_corrupt', message: 'm', retryable: false, attempts: 1 } }),
  })
  const records = [record('a,b.jpg', 'tabby'), record('b.jpg', 'daisy', 0.3), record('c.jpg')]

  beforeAll(async () => {
    await putSummary(summaryOf('20261101-000000-abcdef', { startedAt: '2026-11-01T00:00:00.000Z' }))
    const totals = { listed: 3, planned: 3, skipped: 0, ok: 2, error: 1, pending: 0 }
    await putSummary(
      summaryOf('newest', { totals, labels: [{ label: 'tabby', count: 1 }], errors: { image_corrupt: 1 } }),
    )
    await results.put(resultsKey('newest', 'results.jsonl'), toJsonLines(records))
  })

  it('are listed by status, latest first, and shown by id', async () => {
    const { lines } = await whisklens('status', '--json')
    expect(lines.map((line) => JSON.parse(line).batch)).toEqual(['newest', '20261101-000000-abcdef'])
    const table = await whisklens('status')
    expect(table.lines[0]).toMatch(/^batch +state +images +started/)
    expect(table.lines[1]).toMatch(/^newest +complete +2 ok, 1 in error +2026-11-22T07:00 +tabby 1$/)
    const one = await whisklens('status', 'newest')
    expect(one.stdout).toMatch(/done +2 ok, 1 in error, 0 pending/)
    expect(one.stdout).toMatch(/image_corrupt +1/)
    expect(JSON.parse((await whisklens('status', 'newest', '--json')).stdout).batch).toBe('newest')
  })

  it.each([['status'], ['results'], ['results', '--csv']])(
    'are reported as missing by %s',
    async (...args) => {
      const { code, stdout, stderr } = await whisklens(...args, 'nosuch')
      expect([code, stdout, stderr]).toEqual([
        1,
        '',
        expect.stringMatching(
          /^error: There is no batch "nosuch"\nhint: whisklens status lists the batches/m,
        ),
      ])
    },
  )

  it('are printed as a table, JSON Lines and CSV, the latest by default', async () => {
    const table = await whisklens('results')
    expect(table.stderr).toBe('Batch newest\n')
    expect(table.stdout).toMatch(
      /^key +label +probability\na,b\.jpg +tabby +90\.0 %\nb\.jpg +daisy +30\.0 %\nc\.jpg +error: image_corrupt\n$/,
    )
    const parsed = async (option: string) =>
      (await whisklens('results', option)).lines.map((line) => JSON.parse(line))
    expect(await parsed('--json')).toEqual(records)
    const rows = await parsed('--jsonl')
    expect(rows).toMatchObject([
      { key: 'a,b.jpg', label: 'tabby', probability: 0.9, error: null },
      { key: 'b.jpg', label: 'daisy' },
      { key: 'c.jpg', label: null, error: 'image_corrupt' },
    ])
    const csv = await whisklens('results', 'newest', '--csv', '--raw')
    expect(csv.lines[0]?.trimEnd()).toBe(Object.keys(rows[0]).join(','))
    expect(csv.lines[0]).toMatch(/^bucket,key,status,label/)
    expect(csv.lines[1]).toMatch(/^images,"a,b\.jpg",ok,tabby,0\.9,/)
  })

  it('distinguish no records from none that match', async () => {
    await results.put(resultsKey('20261101-000000-abcdef', 'results.jsonl'), '')
    const empty = await whisklens('results', '20261101-000000-abcdef', '--csv')
    expect([empty.code, empty.lines.length, empty.stderr]).toEqual([
      0,
      1,
      expect.stringContaining('no records'),
    ])
    expect((await whisklens('results', 'newest', '--label', 'dog')).stderr).toBe('No record matches\n')
  })

  it('are written as a Parquet file, atomically', async () => {
    const { code, stdout, stderr } = await whisklens(
      'results',
      'newest',
      '--status',
      'ok',
      '--parquet',
      'ok.parquet',
    )
    expect([code, stdout, stderr]).toEqual([0, '', 'Wrote 2 records to ok.parquet\n'])
    expect((await readdir(folder.path)).filter((name) => name.includes('parquet'))).toEqual(['ok.parquet'])
    const rows = await parquetReadObjects({
      file: await asyncBufferFromFile(join(folder.path, 'ok.parquet')),
    })
    expect(rows).toMatchObject([
      { key: 'a,b.jpg', label: 'tabby', probability: 0.9 },
      { key: 'b.jpg', label: 'daisy', probability: 0.3 },
    ])
    const { stdout: piped } = await whisklens('results', 'newest', '--status', 'ok', '--parquet', '-')
    expect(piped).toBe((await readFile(join(folder.path, 'ok.parquet'))).toString('utf8'))
  })

  it('are not written to an invalid path', async () => {
    const { code, stderr } = await whisklens('results', 'newest', '--parquet', 'no/such.parquet', '--json')
    expect([code, stderr]).toEqual([2, expect.stringContaining('cannot be used with')])
    const refused = await whisklens('results', 'newest', '--parquet', 'no/such.parquet')
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining('error: Could not write no/such.parquet'),
    ])
  })

  it.each([
    [['--label', 'OTHER', '--min-probability', '0.5'], ['a,b.jpg']],
    [['--status', 'error'], ['c.jpg']],
    [['--prefix', 'b'], ['b.jpg']],
    [
      ['--limit', '2'],
      ['a,b.jpg', 'b.jpg'],
    ],
  ])('are filtered by %j', async (options, keys) => {
    const { lines } = await whisklens('results', '--json', ...options)
    expect(lines.map((line) => JSON.parse(line).key)).toEqual(keys)
  })
})

describe('following a batch', () => {
  const quick = { onProgress: () => {}, pollEvery: 5 }
  const never = { run: 0, isOpen: false }

  it('reports progress until the batch is complete', async () => {
    const seen: string[] = []
    const following = followBatch(results, 'followed', never, {
      ...quick,
      onProgress: ({ state }) => seen.push(state),
    })
    await putSummary(summaryOf('followed', { state: 'planning' }))
    while (!seen.includes('planning')) await sleep(5)
    await putSummary(summaryOf('followed', { state: 'running' }))
    while (!seen.includes('running')) await sleep(5)
    await putSummary(summaryOf('followed'))
    expect((await following).state).toBe('complete')
  })

  it('ignores the summary of an earlier run with the same id', async () => {
    await putSummary(summaryOf('again'))
    const seen: string[] = []
    const onProgress = ({ state }: BatchSummary) => seen.push(state)
    const following = followBatch(results, 'again', { run: 1, isOpen: false }, { ...quick, onProgress })
    await sleep(50)
    expect(seen).toEqual([])
    await putSummary(summaryOf('again', { state: 'running' }))
    while (seen.length === 0) await sleep(5)
    const totals = { listed: 5, planned: 5, skipped: 0, ok: 5, error: 0, pending: 0 }
    await putSummary(summaryOf('again', { totals }))
    expect((await following).totals).toEqual(totals)
    expect(seen[0]).toBe('running')
  })

  it('gives up with a hint if the batch does not start, or makes no progress', async () => {
    await expect(followBatch(results, 'absent', never, { ...quick, startsWithin: 50 })).rejects.toMatchObject(
      {
        code: 'batch_not_started',
        hint: expect.stringContaining('on-batch-requested'),
      },
    )
    await putSummary(summaryOf('stuck', { state: 'running' }))
    await expect(followBatch(results, 'stuck', never, { ...quick, changesWithin: 50 })).rejects.toMatchObject(
      {
        code: 'batch_stalled',
        hint: expect.stringContaining('whisklens retry stuck'),
      },
    )
  })
})
