import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { parquetReadObjects } from 'hyparquet'
import { main } from '../../actions/results'
import { readIndex } from '../../src/batch/reports/index-file'
import { recordsPerChunk } from '../../src/batch/reports/index-format'
import { recordsOfRows } from '../../src/batch/reports/index-rows'
import { openIndexKey, openIndexPrefix, resultsKey } from '../../src/batch/state/layout'
import type { WebResponse } from '../../src/openwhisk/web'
import type { ImageRecord } from '../../src/schema'
import type {
  IndexAnswer,
  IndexColumns,
  IndexKeys,
  IndexOthers,
  RowsAnswer,
  Section,
} from '../../src/web/gallery/contract'
import { maxRows } from '../../src/web/results/open-index'
import { parseLines } from '../helpers/clients'
import {
  errorOf,
  recordOf,
  requestOf,
  secrets,
  startStore,
  type TestStore,
  writeClosed,
  writeRunning,
} from '../helpers/gallery'
import { collect, setClock } from './batch-fixtures'

type Query = Record<string, string>

let store: TestStore
const answers: string[] = []

async function ask(query: Query): Promise<WebResponse> {
  const answer = await main(requestOf(store.settings, query))
  answers.push(JSON.stringify(answer))
  return answer
}

const indexOf = async (batch: string, query: Query = {}): Promise<IndexAnswer> => {
  const { statusCode, body } = await ask({ batch, format: 'index', ...query })
  expect(statusCode).toBe(200)
  return body as IndexAnswer
}

const rowsOf = async (batch: string, index: string, rows: string, query: Query = {}) => {
  const { statusCode, body } = await ask({ batch, index, rows, ...query })
  expect(statusCode).toBe(200)
  return body as RowsAnswer
}

const errorIn = ({ body, statusCode }: WebResponse) => [
  statusCode,
  (body as { error: { code: string } }).error.code,
]

/** Reads a section like the page: a range of a presigned URL. */
async function sectionOf<T>(url: string, [from, bytes]: Section): Promise<T> {
  const answer = await fetch(url, { headers: { range: `bytes=${from}-${from + bytes - 1}` } })
  expect(answer.status).toBe(206)
  return JSON.parse(gunzipSync(Buffer.from(await answer.arrayBuffer())).toString())
}

async function keysOfParquet(body: string) {
  const { buffer, byteOffset, length } = Buffer.from(body, 'base64')
  const file = buffer.slice(byteOffset, byteOffset + length) as ArrayBuffer
  return (await parquetReadObjects({ file })).map(({ key }) => key)
}

const photo = (number: number, changes: Partial<ImageRecord> = {}): ImageRecord => ({
  ...recordOf(
    `k${String(number).padStart(4, '0')}.jpg`,
    number % 3 === 0 ? 'tabby' : 'lynx',
    0.4 + number / 10_000,
  ),
  ...changes,
})

const takenAt = '1970-01-02T00:01:30+02:00'
const thumbnail = { key: 'thumbnails/images/ab12.webp', width: 320, height: 240, bytes: 12_000 }

const records = Array.from({ length: 200 }, (_, number) => {
  if (number === 7) return { ...errorOf('k0007.jpg', 'image_corrupt', 'It is damaged'), exif: { takenAt } }
  if (number === 8)
    return photo(8, { exif: { camera: 'Canon EOS R5', takenAt: '1969-12-31T10:00:00' }, thumbnail })
  if (number === 9) return photo(9, { thumbnail: { ...thumbnail, key: 'labels.json' } })
  return photo(number)
})

beforeAll(async () => {
  store = await startStore()
  await writeClosed(store, 'closed', records)
})
afterAll(() => store.close())

describe('the index of a closed batch', () => {
  it('has a row for each record, in columns that are read by ranges of a presigned URL', async () => {
    const { index, summary, shown } = await indexOf('closed')
    expect(index).toMatchObject({
      rows: 200,
      isPartial: false,
      codes: ['image_corrupt'],
      buckets: ['images'],
    })
    expect(summary.totals).toMatchObject({ ok: 199, error: 1 })
    expect(shown).toBeUndefined()
    const [block] = index.blocks
    if (!block) throw new Error('There is no block')
    const columns = await sectionOf<IndexColumns>(index.url, block.columns)
    const labelOf = (id: number) => index.labels[id]?.label
    expect(columns.label.map(labelOf)).toEqual(records.map(({ labels: [top] }) => top?.label))
    expect(columns.confidence.slice(0, 3)).toEqual([400, 400, 400])
    expect(columns.confidence[160]).toBe(416)
    expect(columns.error.flatMap((code, row) => (code === -1 ? [] : [[row, index.codes[code]]]))).toEqual([
      [7, 'image_corrupt'],
    ])
    expect(columns.bucket).toEqual(records.map(() => 0))
    expect(columns.takenAt.slice(6, 10)).toEqual([-1, 24 * 60 + 1, -1, -1])
    expect(columns.camera.slice(7, 10).map((id) => index.cameras[id])).toEqual([
      undefined,
      'Canon EOS R5',
      undefined,
    ])
    const keys = await sectionOf<IndexKeys>(index.url, block.keys)
    expect(keys.key).toEqual(records.map(({ key }) => key))
    const others = await sectionOf<IndexOthers>(index.url, block.others)
    expect(others.label[0]?.map(labelOf)).toEqual(records[0]?.labels.slice(1).map(({ label }) => label))
    expect(others.label[7]).toEqual([])
    expect(others.confidence[0]).toEqual(
      records[0]?.labels.slice(1).map(({ probability }) => Math.round(probability * 1000)),
    )
  })

  it('names the hypernyms of labels', async () => {
    const { index } = await indexOf('closed')
    const tabby = index.labels.find(({ label }) => label === 'tabby')
    const kinds = tabby?.kinds.map((id) => index.kinds[id])
    expect(kinds).toEqual(expect.arrayContaining(['domestic cat', 'cat', 'feline', 'animal']))
    expect(index.kinds).not.toContain('entity')
  })

  it('has the display names of labels.json', async () => {
    const rules = { ignore: ['lynx'], rename: { tabby: 'Katze' }, minimum: { '*': 0.1, Katze: 0.5 } }
    await store.results.put('labels.json', JSON.stringify(rules))
    const { index, shown, summary } = await indexOf('closed')
    const shownAs = (label: string) => shown?.[index.labels.findIndex((each) => each.label === label)]
    expect(shownAs('lynx')).toEqual({ name: 'lynx', isIgnored: true, minimum: 0.1 })
    expect(shownAs('tabby')).toEqual({ name: 'Katze', isIgnored: false, minimum: 0.5 })
    expect(summary.labels.map(({ label }) => label)).toEqual(['lynx', 'tabby'])
    const { records } = await rowsOf('closed', index.id, '0')
    expect(records[0]?.labels[0]).toMatchObject({ label: 'tiger cat' })
    expect((await indexOf('closed', { labels: 'model' })).shown).toBeUndefined()
    await store.results.put('labels.json', '{')
    const broken = await indexOf('closed')
    expect([broken.shown, broken.notice?.code]).toEqual([undefined, 'bad_labels'])
    await store.results.delete('labels.json')
  })

  it('accepts only its own row numbers: another index is refused', async () => {
    await writeClosed(store, 'again', records.slice(0, 3))
    const { index } = await indexOf('again')
    await writeClosed(store, 'again', records.slice(0, 4))
    expect(errorIn(await ask({ batch: 'again', index: index.id, rows: '0' }))).toEqual([409, 'index_changed'])
    const { index: newer } = await indexOf('again')
    expect(newer.url).not.toBe(index.url)
    expect((await rowsOf('again', newer.id, '3')).records).toHaveLength(1)
    // Replaced between two reads.
    const stale = await readIndex(store.results, resultsKey('again', 'index.bin'))
    await writeClosed(store, 'again', records.slice(0, 5))
    await expect(collect(recordsOfRows(store.results, stale, [[0, 0]]))).rejects.toMatchObject({
      code: 'index_changed',
    })
  })

  it('of no images is empty', async () => {
    await writeClosed(store, 'none', [])
    const { index } = await indexOf('none')
    expect(index).toMatchObject({ rows: 0, blocks: [], labels: [] })
    expect((await rowsOf('none', index.id, '0-99')).records).toEqual([])
  })
})

describe('the rows of an index', () => {
  it('are records, each once, in order, for any request', async () => {
    const index = await readIndex(store.results, resultsKey('closed', 'index.bin'))
    const range = fc
      .tuple(fc.nat(220), fc.nat(150))
      .map(([first, more]): [number, number] => [first, first + more])
    await fc.assert(
      fc.asyncProperty(fc.array(range, { maxLength: 6 }), async (ranges) => {
        const isWanted = (row: number) => ranges.some(([first, last]) => first <= row && row <= last)
        const expected = records.flatMap((record, row) => (isWanted(row) ? [{ row, record }] : []))
        expect(await collect(recordsOfRows(store.results, index, ranges))).toEqual(expected)
      }),
      { numRuns: 60 },
    )
  })

  it('are read without those in between', async () => {
    const index = await readIndex(store.results, resultsKey('closed', 'index.bin'))
    let bytes = 0
    const counting = new Proxy(store.results, {
      get: (target, name) =>
        name !== 'range'
          ? Reflect.get(target, name)
          : async (...args: Parameters<typeof target.range>) => {
              bytes += args[2] - args[1]
              return target.range(...args)
            },
    })
    await collect(recordsOfRows(counting, index, [[130, 131]]))
    expect(bytes).toBe(index.directory.blocks[0]?.chunks[Math.floor(130 / recordsPerChunk)])
  })

  it('have URLs that read the image, and the thumbnail if there is one, and nothing else', async () => {
    setClock('2026-11-29T10:59:59.999Z')
    const { index } = await indexOf('closed')
    await store.images.put('k0008.jpg', 'image')
    await store.results.put(thumbnail.key, 'thumbnail')
    await store.results.put('labels.json', '{}')
    const { records, expires } = await rowsOf('closed', index.id, '8-9')
    await store.results.delete('labels.json')
    const [eighth, ninth] = records
    expect([eighth?.row, ninth?.row]).toEqual([8, 9])
    expect(await (await fetch(eighth?.url ?? '')).text()).toBe('image')
    expect(await (await fetch(eighth?.thumbnailUrl ?? '')).text()).toBe('thumbnail')
    // A record must not expose other objects of the results bucket.
    expect(ninth).not.toHaveProperty('thumbnailUrl')
    expect(expires).toBe('2026-11-29T12:00:00.000Z')
    setClock('2026-11-29T10:00:00Z')
    expect((await rowsOf('closed', index.id, '8')).records[0]?.url).toBe(eighth?.url)
    jest.useRealTimers()
  })

  it.each([
    ['x', {}],
    ['1-', {}],
    ['5-3', {}],
    ['0-200', {}],
    ['0-149,50-150', {}],
    ['0', { limit: '5' }],
    ['0', { after: Buffer.from('["a","b"]').toString('base64url') }],
    ['0', { index: '' }],
    ['0', { batch: '' }],
  ] as [string, Query][])('%s are refused with %j', async (rows, query) => {
    const { index } = await indexOf('closed')
    expect(errorIn(await ask({ batch: 'closed', index: index.id, rows, ...query }))).toEqual([
      400,
      'bad_parameter',
    ])
  })

  it('of an unknown index are refused', async () => {
    for (const index of ['x', '../../labels', `open-${'0'.repeat(32)}`])
      expect(errorIn(await ask({ batch: 'closed', index, rows: '0' }))).toEqual([409, 'index_changed'])
    expect(errorIn(await ask({ batch: 'nothing', index: 'x', rows: '0' }))).toEqual([404, 'batch_not_found'])
  })

  it('are left out if they do not fit into an answer', async () => {
    const large = records.slice(0, 100).map((record, number) => ({
      ...record,
      labels: record.labels.map((label) => ({ ...label, className: `${number}`.repeat(2000) })),
    }))
    await writeClosed(store, 'wide', large)
    const { index } = { index: await readIndex(store.results, resultsKey('wide', 'index.bin')) }
    const { records: some } = await rowsOf('wide', index.etag, '0-99')
    expect(some.length).toBeGreaterThan(10)
    expect(some.length).toBeLessThan(100)
    expect(some.map(({ row }) => row)).toEqual(some.map((_, row) => row))
    expect(JSON.stringify(some).length).toBeLessThan(1024 * 1024)
    expect(errorIn(await ask({ batch: 'wide', format: 'index' }))).toEqual([400, 'answer_too_large'])
  })

  it.each(['jsonl', 'csv', 'parquet'])('are exported as %s', async (format) => {
    const { index } = await indexOf('closed')
    const { statusCode, body } = await ask({ batch: 'closed', index: index.id, rows: '0-1,198-500', format })
    expect(statusCode).toBe(200)
    const keys = format === 'parquet' ? await keysOfParquet(`${body}`) : `${body}`.match(/k\d{4}\.jpg/g)
    expect(keys).toEqual(['k0000.jpg', 'k0001.jpg', 'k0198.jpg', 'k0199.jpg'])
  })
})

describe('the index of an open batch', () => {
  it('has the results so far, in key order, and grows', async () => {
    await writeRunning(store, 'running', records.slice(0, 3), 10)
    const { index, summary } = await indexOf('running')
    expect([index.rows, index.isPartial, summary.state]).toEqual([3, false, 'running'])
    expect((await rowsOf('running', index.id, '0-9')).records.map(({ key }) => key)).toEqual([
      'k0000.jpg',
      'k0001.jpg',
      'k0002.jpg',
    ])
    expect((await indexOf('running')).index).toMatchObject({ id: index.id, url: index.url })
    await writeRunning(store, 'running', records.slice(0, 5), 10)
    const { index: grown } = await indexOf('running')
    expect(grown.rows).toBe(5)
    // A page that still shows the previous index can read it.
    expect((await rowsOf('running', index.id, '0-9')).records).toHaveLength(3)
    const [block] = grown.blocks
    if (!block) throw new Error('There is no block')
    expect((await sectionOf<IndexKeys>(grown.url, block.keys)).key).toHaveLength(5)
  })

  it('is kept in a few versions', async () => {
    for (const count of [1, 2, 3, 4, 5]) {
      await writeRunning(store, 'kept', records.slice(0, count), 10)
      await indexOf('kept')
    }
    const { index } = await indexOf('kept')
    const kept = await collect(store.results.list({ prefix: openIndexPrefix('kept') }))
    expect(kept).toHaveLength(3)
    expect(kept.map(({ key }) => key)).toContain(openIndexKey('kept', index.id.slice('open-'.length)))
  })

  it('has the first rows of a large batch, and says so', async () => {
    await writeRunning(store, 'huge', records.slice(0, 8), 10)
    const usual = maxRows.value
    maxRows.value = 5
    const { index } = await indexOf('huge')
    maxRows.value = 8
    const { index: whole } = await indexOf('huge')
    maxRows.value = usual
    expect([index.rows, index.isPartial]).toEqual([5, true])
    expect([whole.rows, whole.isPartial]).toEqual([8, false])
  })

  it('has the rows for which there was time', async () => {
    process.env.__OW_DEADLINE = String(Date.now() + 5_000)
    const { index } = await indexOf('huge').finally(() => delete process.env.__OW_DEADLINE)
    expect([index.rows, index.isPartial]).toEqual([0, true])
  })
})

describe('filters of the gallery', () => {
  const found = async (query: Query): Promise<number> => {
    const { body } = await ask({ batch: 'closed', format: 'jsonl', ...query })
    return parseLines(`${body}`).length
  }

  it.each([
    [{ code: 'image_corrupt' }, 1],
    [{ code: 'corrupt' }, 0],
    [{ labelIs: 'tabby' }, 67],
    [{ labelIs: 'tab' }, 0],
    [{ labelIs: '["tabby","lynx"]' }, 199],
    [{ labelIs: '[]' }, 0],
    [{ maxProbability: '0.4', status: 'ok' }, 5],
    [{ minProbability: '0.41', maxProbability: '0.41' }, 10],
    [{ search: 'CATAMOUNT' }, 132],
    [{ search: 'feline' }, 199],
    [{ search: 'K0007' }, 1],
    [{ search: 'entity' }, 0],
  ] as [Query, number][])('%j finds %i', async (query, count) => {
    expect(await found(query)).toBe(count)
  })

  it('use display names from labels.json', async () => {
    await store.results.put('labels.json', JSON.stringify({ rename: { tabby: 'Katze' } }))
    const counts = [
      await found({ labelIs: 'Katze' }),
      await found({ labelIs: 'tabby' }),
      await found({ search: 'katze' }),
    ]
    await store.results.delete('labels.json')
    expect(counts).toEqual([67, 0, 67])
  })

  it.each(['["tabby"', '[1]', '[["tabby"]]'])('labels as %s are refused', async (labelIs) => {
    expect(errorIn(await ask({ batch: 'closed', labelIs }))).toEqual([400, 'bad_parameter'])
  })

  it('continue on the next pages', async () => {
    const query = { batch: 'closed', format: 'jsonl', labelIs: '["tabby","x,y"]', limit: '40' }
    const { headers, body } = await ask(query)
    const link = /<\?(.*)>/.exec(headers.link ?? '')?.[1]
    const next = await ask(Object.fromEntries(new URLSearchParams(link)))
    expect([parseLines(`${body}`).length, parseLines(`${next.body}`).length]).toEqual([40, 27])
  })
})

it('no answer contains a secret', () => {
  expect(answers.length).toBeGreaterThan(20)
  for (const secret of secrets) for (const answer of answers) expect(answer).not.toContain(secret)
})
