import { parquetMetadata, parquetReadObjects } from 'hyparquet'
import { main } from '../../actions/results'
import { columns } from '../../src/batch/reports/columns'
import { newestIds } from '../../src/batch/reports/newest'
import { progressOf } from '../../src/batch/reports/progress'
import { exportKey } from '../../src/batch/state/layout'
import { writeArrival } from '../../src/batch/uploads/arrivals'
import type { WebResponse } from '../../src/openwhisk/web'
import type { BatchSummary, ImageRecord } from '../../src/schema'
import { hashOf } from '../../src/web/hash-of'
import { parseLines } from '../helpers/clients'
import {
  errorOf,
  recordOf,
  requestOf,
  secrets,
  startStore,
  type TestStore,
  token,
  writeClosed,
  writeRunning,
} from '../helpers/gallery'
import { batchOf, putSummary, saveBatch } from './batch-fixtures'

interface RecordsAnswer {
  summary: BatchSummary
  records: (ImageRecord & { url?: string })[]
  next?: string
}

type Query = Record<string, string>

let store: TestStore
const answers: string[] = []

/** Queries the action and keeps its answer, which is searched for secrets at the end. */
async function ask(query: Query, options?: Parameters<typeof requestOf>[2]): Promise<WebResponse> {
  const answer = await main(requestOf(store.settings, query, options))
  answers.push(JSON.stringify(answer))
  return answer
}

const recordsOf = async (query: Query): Promise<RecordsAnswer> => {
  const { statusCode, body } = await ask(query)
  expect(statusCode).toBe(200)
  return body as RecordsAnswer
}

const keysOf = async (query: Query) => (await recordsOf(query)).records.map(({ key }) => key)
const errorIn = ({ body }: WebResponse) => (body as { error: { code: string; message: string } }).error

/** In UTF-8 order: the emoji comes last, whereas UTF-16 sorts it before the fullwidth bar. */
const keys = ['a, "b"\n.jpg', 'cats/1.jpg', 'cats/2.jpg', 'dogs/1.jpg', 'zz/｜.jpg', 'zz/😀.jpg']

beforeAll(async () => {
  store = await startStore()
  const [a = '', b = '', c = '', d = '', e = '', f = ''] = keys
  await writeClosed(store, 'photos', [
    recordOf(a, 'espresso', 0.9),
    recordOf(b, 'tabby', 0.6),
    recordOf(c, 'lynx', 0.4),
    errorOf(d, 'image_corrupt', 'Could not decode the JPEG'),
    recordOf(e, 'tripod', 0.95),
    recordOf(f, 'espresso', 0.5),
  ])
})
afterAll(() => store.close())

describe('access to results', () => {
  it('is refused to everybody without a configured token', async () => {
    const { resultsToken: _, ...settings } = store.settings
    for (const query of [{}, { token: '' }, { token: 'undefined' }] as Query[]) {
      expect((await main(requestOf(settings, query))).statusCode).toBe(401)
    }
  })

  it('is refused for a missing or wrong token, with where to put it', async () => {
    expect((await ask({}, { headers: {} })).statusCode).toBe(401)
    const answer = await ask({ token: `${token}x` }, { headers: {} })
    expect(answer.statusCode).toBe(401)
    expect(errorIn(answer)).toMatchObject({ code: 'unauthorized', hint: expect.stringContaining('Bearer') })
  })

  it('is granted by the token in the header or in the query', async () => {
    expect((await ask({})).statusCode).toBe(200)
    expect((await main(requestOf(store.settings, { token }, { headers: {} }))).statusCode).toBe(200)
  })

  it('is checked before anything else', async () => {
    for (const query of [{ batch: 'nothing' }, { limit: 'x' }, { format: 'html' }] as Query[]) {
      expect((await ask(query, { headers: {} })).statusCode).toBe(401)
    }
    expect((await ask({}, { method: 'post', headers: {} })).statusCode).toBe(401)
  })

  it('is refused to a browser with a page that says what to do, without access to a store', async () => {
    const accept = 'text/html,application/xhtml+xml'
    const answer = await ask({ token: 'wrong' }, { headers: { accept } })
    expect(answer).toMatchObject({
      statusCode: 401,
      body: expect.stringContaining('<title>Whisklens</title>'),
    })
    expect(answer.headers?.['content-security-policy']).toContain("connect-src 'self';")
    expect(JSON.stringify(answer)).not.toContain(new URL(store.settings.s3Endpoint as string).host)
    const posted = await ask({ token: 'wrong' }, { method: 'post', headers: { accept } })
    expect(errorIn(posted)).toMatchObject({ code: 'unauthorized' })
  })

  it('keeps answers out of caches and the URL out of referrers', async () => {
    const queries: Query[] = [
      {},
      { batch: 'photos' },
      { batch: 'photos', format: 'csv' },
      { format: 'html' },
      { batch: 'nothing' },
    ]
    for (const query of queries) {
      expect((await ask(query)).headers).toMatchObject({
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      })
    }
  })
})

describe('HEAD', () => {
  it('is answered like GET: the platform drops the body', async () => {
    for (const query of [
      {},
      { batch: 'photos' },
      { batch: 'photos', format: 'csv' },
      { format: 'html' },
    ] as Query[])
      expect(await ask(query, { method: 'head' })).toEqual(await ask(query))
  })
})

describe('requests are refused', () => {
  it.each(['post', 'put', 'delete', 'patch'])('with %s by 405 and the allowed methods', async (method) => {
    const answer = await ask({}, { method, headers: { authorization: `Bearer ${token}` } })
    expect(answer).toMatchObject({ statusCode: 405, headers: { allow: 'GET, HEAD' } })
    expect(errorIn(answer).code).toBe('method_not_allowed')
  })

  it.each([
    ['limit', 'many'],
    ['limit', '0'],
    ['limit', '1001'],
    ['limit', '1.5'],
    ['minProbability', '2'],
    ['minProbability', 'high'],
    ['status', 'broken'],
    ['format', 'xml'],
    ['after', 'not-a-cursor'],
    ['after', Buffer.from('{"key":1}').toString('base64url')],
    ['urls', 'yes'],
    ['batch', '../images'],
    ['batch', 'A'],
    ['batch', 'x'.repeat(65)],
  ])('with %s=%s by 400 and the name of the parameter', async (name, value) => {
    const answer = await ask({ batch: 'photos', [name]: value })
    expect(answer.statusCode).toBe(400)
    expect(errorIn(answer)).toMatchObject({ code: 'bad_parameter', message: expect.stringContaining(name) })
  })

  it('for a missing batch by 404', async () => {
    for (const format of ['json', 'jsonl', 'csv']) {
      const answer = await ask({ batch: 'nothing', format })
      expect(answer.statusCode).toBe(404)
      expect(errorIn(answer)).toMatchObject({
        code: 'batch_not_found',
        message: expect.stringContaining('nothing'),
      })
    }
  })

  it('for the list of batches as a table', async () => {
    expect(await ask({ format: 'csv' })).toMatchObject({ statusCode: 400 })
  })
})

describe('the records of a batch', () => {
  it('are returned with the summary, in key order', async () => {
    const { summary, records, next } = await recordsOf({ batch: 'photos' })
    expect(summary).toMatchObject({ batch: 'photos', state: 'complete', totals: { ok: 5, error: 1 } })
    expect(records.map(({ key }) => key)).toEqual(keys)
    expect(records[0]).not.toHaveProperty('url')
    expect(next).toBeUndefined()
  })

  it('are filtered by label, status, prefix and probability, also combined', async () => {
    expect(await keysOf({ batch: 'photos', label: 'ESPRESSO' })).toEqual([keys[0], keys[5]])
    // Matches every name of the class, not only the first.
    expect(await keysOf({ batch: 'photos', label: 'catamount' })).toEqual([keys[2]])
    expect(await keysOf({ batch: 'photos', status: 'error' })).toEqual([keys[3]])
    expect(await keysOf({ batch: 'photos', prefix: 'cats/' })).toEqual([keys[1], keys[2]])
    expect(await keysOf({ batch: 'photos', minProbability: '0.9' })).toEqual([keys[0], keys[4]])
    expect(await keysOf({ batch: 'photos', label: 'espresso', minProbability: '0.8', status: 'ok' })).toEqual(
      [keys[0]],
    )
    // Matches hypernyms, too; all of these records have the tabby's synset.
    expect(await keysOf({ batch: 'photos', label: 'Feline', minProbability: '0.9' })).toEqual([
      keys[0],
      keys[4],
    ])
    expect(await keysOf({ batch: 'photos', label: 'n02121808' })).toHaveLength(5)
    expect(await keysOf({ batch: 'photos', label: 'canine' })).toEqual([])
    expect(await keysOf({ batch: 'photos', label: 'zebra' })).toEqual([])
  })

  it('are not filtered by an empty parameter, as sent by forms', async () => {
    const empty = {
      label: '',
      status: '',
      prefix: '',
      minProbability: '',
      limit: '',
      after: '',
      format: '',
      urls: '',
    }
    expect(await keysOf({ batch: 'photos', ...empty })).toEqual(keys)
  })

  it.each([1, 2, 3, 5, 6])('are visited exactly once in pages of %i', async (limit) => {
    const visited: string[] = []
    let after = ''
    for (let pages = 0; pages < 10; pages++) {
      const { records, next } = await recordsOf({ batch: 'photos', limit: String(limit), after })
      expect(records.length).toBeLessThanOrEqual(limit)
      visited.push(...records.map(({ key }) => key))
      if (!next) break
      expect(next).toMatch(/^[\w-]+$/)
      after = next
    }
    expect(visited).toEqual(keys)
  })

  it('are paged after filtering', async () => {
    const first = await recordsOf({ batch: 'photos', label: 'espresso', limit: '1' })
    const second = await recordsOf({
      batch: 'photos',
      label: 'espresso',
      limit: '1',
      after: first.next ?? '',
    })
    expect([...first.records, ...second.records].map(({ key }) => key)).toEqual([keys[0], keys[5]])
    expect(second.next).toBeUndefined()
  })

  it('have a URL that reads the image without credentials, on request only', async () => {
    const body = Buffer.from('an image')
    for (const key of keys) await store.images.put(key, body)
    const { records } = await recordsOf({ batch: 'photos', urls: 'true' })
    for (const { url = '' } of records) {
      expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe('7200')
      const answer = await fetch(url)
      expect(answer.status).toBe(200)
      expect(Buffer.from(await answer.arrayBuffer())).toEqual(body)
    }
  })

  it('are those so far of a running batch', async () => {
    await writeRunning(store, 'running', [recordOf('1.jpg'), errorOf('2.jpg', 'image_empty', 'No bytes')], 5)
    const { summary, records } = await recordsOf({ batch: 'running' })
    expect(summary).toMatchObject({ state: 'running', exact: false, totals: { ok: 1, error: 1, pending: 3 } })
    expect(records.map(({ key }) => key)).toEqual(['1.jpg', '2.jpg'])
  })

  it('of a closed batch that was fired again are those it closed with, and the new ones', async () => {
    await writeClosed(store, 'again', [recordOf('1.jpg')])
    const summary = JSON.stringify({
      ...(await recordsOf({ batch: 'again' })).summary,
      state: 'running',
      endedAt: null,
    })
    await store.results.put('batches/again/summary.json', summary)
    await store.results.put('batches/again/results.jsonl', `${JSON.stringify(recordOf('old.jpg'))}\n`)
    expect(await keysOf({ batch: 'again' })).toEqual(['1.jpg', 'old.jpg'])
  })

  it('of a day of uploads are paged in order, including equal keys of two buckets', async () => {
    const at = (key: string, bucket = 'images') => ({ ...recordOf(key), bucket })
    const day = 'uploads-2026-11-22'
    const arrive = (records: ImageRecord[], activationId: string) =>
      writeArrival(store.results, day, records, { at: 0, activationId })
    await arrive([at('c.jpg'), at('b.jpg', 'others')], '1'.repeat(32))
    const records = [at('b.jpg'), at('a.jpg'), at('c.jpg')]
    await arrive(records, '2'.repeat(32))
    const open = batchOf('images', {}, { batch: day, kind: 'uploads' })
    await saveBatch(store.results, open)
    await putSummary(store.results, progressOf(open))
    const visited: string[] = []
    for (let after = ''; ; ) {
      const { records, next } = await recordsOf({ batch: 'uploads-2026-11-22', limit: '1', after })
      visited.push(...records.map(({ bucket, key }) => `${bucket}/${key}`))
      if (!next) break
      after = next
    }
    expect(visited).toEqual(['images/a.jpg', 'images/b.jpg', 'others/b.jpg', 'images/c.jpg'])
  })
})

/** Keys of an export, in any format. */
async function keysIn({ headers, body }: WebResponse): Promise<string[]> {
  const [type] = headers['content-type']?.split(';') ?? []
  if (type === 'application/vnd.apache.parquet') {
    const file = new Uint8Array(Buffer.from(String(body), 'base64')).buffer
    return (await parquetReadObjects({ file })).map(({ key }) => key)
  }
  const lines = String(body).trimEnd().split(/\r?\n/)
  if (type === 'application/x-ndjson') return lines.map((line) => JSON.parse(line).key)
  return lines
    .slice(1)
    .map((line) => (/^images,"((?:[^"]|"")*)"/.exec(line)?.[1] ?? '').replaceAll('""', '"'))
}

describe('export formats', () => {
  it('include JSON Lines, one record per line', async () => {
    const { headers, body } = await ask({ batch: 'photos', format: 'jsonl' })
    // Without a charset, OpenWhisk treats the type as binary and decodes the body as base64.
    expect(headers['content-type']).toBe('application/x-ndjson; charset=utf-8')
    const lines = String(body).trimEnd().split('\n')
    expect(lines.map((line) => (JSON.parse(line) as ImageRecord).key)).toEqual(keys)
  })

  it('include CSV, quoted where necessary', async () => {
    const { headers, body } = await ask({ batch: 'photos', format: 'csv' })
    expect(headers).toMatchObject({ 'content-type': 'text/csv; charset=utf-8' })
    expect(headers['content-disposition']).toBe('attachment; filename="photos.csv"')
    const [header, first] = String(body).split('\r\n')
    expect(header).toBe(`\uFEFF${columns.map(({ name }) => name).join(',')}`)
    expect(first).toMatch(/^images,"a, ""b""\n\.jpg",ok,espresso,0\.9,/)
    expect(String(body).split('\r\n')).toHaveLength(keys.length + 2)
  })

  it('include CSV that is safe in a spreadsheet, or raw', async () => {
    await writeClosed(store, 'formulas', [recordOf('=1+1.jpg', '@label')])
    expect((await ask({ batch: 'formulas', format: 'csv' })).body).toContain("images,'=1+1.jpg,ok,'@label,")
    const raw = String((await ask({ batch: 'formulas', format: 'csv', raw: 'true' })).body)
    expect(raw).toMatch(/^bucket,key/)
    expect(raw).toContain('images,=1+1.jpg,ok,@label,')
    const stored = (await store.results.get('batches/formulas/results.csv')).body.toString()
    expect(stored).toContain("images,'=1+1.jpg,ok,'@label,")
  })

  it('have the same columns in CSV, JSON Lines and Parquet', async () => {
    const names = columns.map(({ name }) => name)
    const body = async (format: string) => String((await ask({ batch: 'photos', format })).body)
    expect((await body('csv')).split('\r\n')[0]?.slice(1).split(',')).toEqual(names)
    expect(Object.keys(JSON.parse((await body('jsonl')).split('\n')[0] ?? ''))).toEqual(names)
    const file = new Uint8Array(Buffer.from(await body('parquet'), 'base64')).buffer
    const [first] = await parquetReadObjects({ file })
    expect(Object.keys(first ?? {})).toEqual(names)
    expect(first).toMatchObject({ key: keys[0], label: 'espresso', probability: 0.9 })
  })

  it('are chosen by the parameter, else by the Accept header', async () => {
    const typeFor = async (accept: string, query = {}) => {
      const headers = { authorization: `Bearer ${token}`, accept }
      return (await ask({ batch: 'photos', ...query }, { headers })).headers['content-type']
    }
    expect(await typeFor('application/x-ndjson')).toContain('ndjson')
    expect(await typeFor('text/csv')).toContain('csv')
    expect(await typeFor('*/*')).toBe('application/json')
    expect(await typeFor('text/html,application/xhtml+xml,*/*;q=0.8')).toContain('text/html')
    expect(await typeFor('text/html', { format: 'json' })).toBe('application/json')
  })

  it('apply filters and limits, and link to the next page without the token', async () => {
    const query = { batch: 'photos', format: 'jsonl', label: 'espresso', limit: '1' }
    const { headers, body } = await main(requestOf(store.settings, { ...query, token }, { headers: {} }))
    expect(String(body).trimEnd().split('\n')).toHaveLength(1)
    const link = /^<(\?[^>]+)>; rel="next"$/.exec(headers.link ?? '')?.[1] ?? ''
    expect(link).not.toContain(token)
    const next = await ask(Object.fromEntries(new URLSearchParams(link)))
    expect(JSON.parse(String(next.body))).toMatchObject({ key: keys[5] })
    expect(next.headers).not.toHaveProperty('link')
  })

  it('list batches as JSON Lines', async () => {
    const { body } = await ask({ format: 'jsonl' })
    const batches = String(body)
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as BatchSummary).batch)
    expect(batches).toContain('photos')
  })
})

describe('a batch too large for one answer', () => {
  const names = Array.from(
    { length: 2500 },
    (_, index) => `large/${String(index).padStart(5, '0')}-${'"'.repeat(40)}.jpg`,
  )

  beforeAll(() =>
    writeClosed(
      store,
      'large',
      names.map((key) => recordOf(key)),
    ),
  )

  it('stays under the limit of the platform and continues on the next page', async () => {
    for (const query of [
      { format: 'json', urls: 'true' } as Query,
      { format: 'json' },
      { format: 'jsonl' },
      { format: 'csv' },
    ]) {
      const answer = await ask({ batch: 'large', limit: '1000', ...query })
      expect(answer.statusCode).toBe(200)
      expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThan(900_000)
    }
    const visited: string[] = []
    for (let after = ''; ; ) {
      const { records, next } = await recordsOf({ batch: 'large', limit: '1000', after })
      visited.push(...records.map(({ key }) => key))
      if (!next) break
      after = next
    }
    expect(visited).toEqual(names)
  })

  it('redirects to the whole file for fifteen minutes', async () => {
    const { statusCode, headers, body } = await ask({ batch: 'large', format: 'csv' })
    expect({ statusCode, body }).toEqual({ statusCode: 302, body: '' })
    expect(new URL(headers.location ?? '').searchParams.get('X-Amz-Expires')).toBe('900')
    const whole = await (await fetch(headers.location ?? '')).text()
    expect(whole.trimEnd().split('\r\n')).toHaveLength(names.length + 1)
  })

  it.each<Query>([{ format: 'jsonl' }, { format: 'csv', raw: 'true' }, { format: 'parquet' }])(
    'gives all in a file of its own, and pages where there is a limit: %j',
    async (query) => {
      const { statusCode, headers } = await ask({ batch: 'large', ...query })
      expect(statusCode).toBe(302)
      const file = await fetch(headers.location ?? '')
      const type = file.headers.get('content-type') ?? ''
      const bytes = Buffer.from(await file.arrayBuffer())
      const body = query.format === 'parquet' ? bytes.toString('base64') : bytes.toString()
      const whole = { statusCode, headers: { 'content-type': type }, body }
      expect(await keysIn(whole)).toEqual(names)
      const visited: string[] = []
      let pages = 0
      for (let next: Query | undefined = { batch: 'large', limit: '1000', ...query }; next; pages++) {
        const answer: WebResponse = await ask(next)
        visited.push(...(await keysIn(answer)))
        const link = /^<\?([^>]+)>; rel="next"$/.exec(answer.headers.link ?? '')?.[1]
        next = link ? Object.fromEntries(new URLSearchParams(link)) : undefined
      }
      expect(visited).toEqual(names)
      expect(pages).toBeGreaterThan(1)
    },
  )

  it('redirects as well if the file would fit but its quotes would not', async () => {
    const all = Array.from({ length: 1300 }, (_, index) =>
      recordOf(`${String(index).padStart(5, '0')}${'"'.repeat(100)}.jpg`),
    )
    await writeClosed(store, 'quotes', all)
    const size = (await store.results.head('batches/quotes/results.csv'))?.size ?? 0
    expect(size).toBeLessThan(800_000)
    const { statusCode, headers } = await ask({ batch: 'quotes', format: 'csv' })
    expect(statusCode).toBe(302)
    expect(await (await fetch(headers.location ?? '')).text()).toContain('bucket,key,status')
  })

  const linesAt = async (url: string) => parseLines<ImageRecord>(await (await fetch(url)).text())

  it('is returned in pages, with a link to the next, only with a limit', async () => {
    const { statusCode, headers, body } = await ask({ batch: 'large', format: 'jsonl', limit: '3' })
    expect(statusCode).toBe(200)
    expect(parseLines(String(body))).toHaveLength(3)
    expect(headers.link).toContain('limit=3')
  })

  it.each([
    ['jsonl', 'large', names.length],
    ['csv', 'quotes', 1300],
  ])('redirects to a file of the selection in %s', async (format, batch, records) => {
    const query = { batch, format, label: 'espresso' }
    const { statusCode, headers, body } = await ask(query)
    expect({ statusCode, body }).toEqual({ statusCode: 302, body: '' })
    const { pathname, searchParams } = new URL(headers.location ?? '')
    expect(pathname).toMatch(new RegExp(`/batches/${batch}/exports/[0-9a-f]{16}/results.${format}$`))
    expect(searchParams.get('X-Amz-Expires')).toBe('900')
    const file = await fetch(headers.location ?? '')
    expect(file.headers.get('content-type')).toContain('charset=utf-8')
    const isNext = format === 'jsonl' ? '\n' : '\r\n'
    const lines = (await file.text()).trimEnd().split(isNext)
    expect(lines).toHaveLength(records + (format === 'csv' ? 1 : 0))
    // Each selection has its own file; an empty one has none.
    expect((await ask({ ...query, status: 'ok' })).headers.location).not.toContain(pathname)
    expect((await ask({ ...query, label: 'zebra' })).statusCode).toBe(200)
  })

  it('redirects to the rest after a page', async () => {
    const { headers } = await ask({ batch: 'large', format: 'jsonl', limit: '3' })
    const after = new URLSearchParams(headers.link).get('after') ?? ''
    const rest = await ask({ batch: 'large', format: 'jsonl', after: after.replace(/>.*/, '') })
    expect(rest.statusCode).toBe(302)
    expect((await linesAt(rest.headers.location ?? '')).map(({ key }) => key)).toEqual(names.slice(3))
  })

  it('refuses URLs of more images than fit into an answer', async () => {
    const answer = await ask({ batch: 'large', format: 'jsonl', urls: 'true' })
    expect(answer.statusCode).toBe(400)
    expect(errorIn(answer)).toMatchObject({
      code: 'answer_too_large',
      hint: expect.stringContaining('limit=1000'),
    })
  })

  it('reports when there is no time to write the file, and leaves nothing of it', async () => {
    const deadline = process.env.__OW_DEADLINE
    process.env.__OW_DEADLINE = String(Date.now())
    try {
      const answer = await ask({ batch: 'large', format: 'jsonl', prefix: 'large/0' })
      expect(answer.statusCode).toBe(400)
      expect(errorIn(answer).message).toContain('in time')
    } finally {
      if (deadline === undefined) delete process.env.__OW_DEADLINE
      else process.env.__OW_DEADLINE = deadline
    }
    const key = exportKey(
      'large',
      JSON.stringify({ prefix: 'large/0', batch: 'large', whole: false }),
      'results.jsonl',
    )
    expect(await store.results.head(key)).toBeUndefined()
  })

  it('returns all of an open day', async () => {
    const day = 'uploads-2026-11-23'
    const all = Array.from({ length: 2071 }, (_, index) => recordOf(`${String(index).padStart(5, '0')}.jpg`))
    for (let at = 0; at < all.length; at += 500) {
      const activationId = String(at).padStart(32, '0')
      await writeArrival(store.results, day, all.slice(at, at + 500), { at, activationId })
    }
    const open = batchOf('images', {}, { batch: day, kind: 'uploads' })
    await saveBatch(store.results, open)
    await putSummary(store.results, progressOf(open))
    const { statusCode, headers } = await ask({ batch: day, format: 'jsonl' })
    expect(statusCode).toBe(302)
    const records = await linesAt(headers.location ?? '')
    expect(records.map(({ key }) => key)).toEqual(all.map(({ key }) => key))
  })
})

describe('date and camera', () => {
  const taken = (key: string, takenAt?: string, camera?: string): ImageRecord => ({
    ...recordOf(key),
    ...((takenAt || camera) && { exif: { ...(takenAt && { takenAt }), ...(camera && { camera }) } }),
  })

  beforeAll(() =>
    writeClosed(store, 'taken', [
      taken('1.jpg', '2026-04-30T23:59:59', 'Canon EOS R5'),
      taken('2.jpg', '2026-05-01T00:00:00+02:00', 'Apple iPhone 15 Pro'),
      taken('3.jpg', '2026-05-31T23:59:59'),
      taken('4.jpg', undefined, 'Canon PowerShot'),
      taken('5.jpg'),
    ]),
  )

  it.each<[Query, string[]]>([
    [{ takenSince: '2026-05-01' }, ['2.jpg', '3.jpg']],
    [{ takenUntil: '2026-05' }, ['1.jpg', '2.jpg', '3.jpg']],
    [{ takenUntil: '2026-04-30' }, ['1.jpg']],
    [{ takenSince: '2026-05', takenUntil: '2026-05-01T00:00' }, ['2.jpg']],
    [{ camera: 'canon' }, ['1.jpg', '4.jpg']],
    [{ camera: 'IPHONE', takenSince: '2026' }, ['2.jpg']],
    [{ takenSince: '', takenUntil: '', camera: '' }, ['1.jpg', '2.jpg', '3.jpg', '4.jpg', '5.jpg']],
  ])('%j finds %j', async (query, found) => {
    expect(await keysOf({ batch: 'taken', ...query })).toEqual(found)
  })

  it.each(['yesterday', '2026-13', '2026-05-32', '05/01/2026', '2026-05-01T25:00'])(
    '%s is not a date',
    async (takenSince) => {
      const answer = await ask({ batch: 'taken', takenSince })
      expect(answer.statusCode).toBe(400)
      expect(errorIn(answer).message).toContain('takenSince')
    },
  )

  it('are columns of the exports, and selections do not return the whole file', async () => {
    const { body } = await ask({ batch: 'taken', format: 'jsonl', camera: 'apple' })
    expect(JSON.parse(String(body))).toMatchObject({
      key: '2.jpg',
      takenAt: '2026-05-01T00:00:00',
      camera: 'Apple iPhone 15 Pro',
      latitude: null,
    })
    const parquet = await ask({ batch: 'taken', format: 'parquet', camera: 'apple' })
    const file = new Uint8Array(Buffer.from(String(parquet.body), 'base64')).buffer
    const { schema } = parquetMetadata(file)
    expect(schema.find(({ name }) => name === 'takenAt')?.logical_type).toMatchObject({
      isAdjustedToUTC: false,
    })
    expect(await parquetReadObjects({ file })).toMatchObject([{ takenAt: new Date('2026-05-01T00:00:00Z') }])
  })
})

describe('labels.json', () => {
  const rules = {
    schema: 'whisklens.labels/1',
    ignore: ['tripod'],
    rename: { espresso: 'coffee' },
    groups: { kitty: ['lynx', 'tabby'] },
    minimum: { kitty: 0.65 },
  }
  const putRules = (text: string) => store.results.put('labels.json', text)
  const topsOf = (records: ImageRecord[]) => records.map(({ labels: [top] }) => top?.label)

  afterEach(() => store.results.delete('labels.json'))

  it('applies to all answers, while files of a closed batch keep the model’s labels', async () => {
    const before = (await store.results.get('batches/photos/results.jsonl')).body.toString()
    await putRules(JSON.stringify(rules))
    const { summary, records } = await recordsOf({ batch: 'photos' })
    const tops = ['coffee', 'kitty', 'tiger cat', undefined, 'tiger cat', 'coffee']
    expect(topsOf(records)).toEqual(tops)
    expect(summary.labels).toEqual([
      { label: 'coffee', count: 2 },
      { label: 'kitty', count: 2 },
    ])
    const { body } = await ask({ batch: 'photos', format: 'jsonl' })
    const rows = String(body).trimEnd().split('\n')
    expect(rows.map((row) => JSON.parse(row).label)).toEqual(tops.map((top) => top ?? null))
    expect(String((await ask({ batch: 'photos', format: 'csv' })).body)).toContain(',ok,coffee,0.9,')
    expect((await store.results.get('batches/photos/results.jsonl')).body.toString()).toBe(before)
  })

  it('applies to filters, which also match the model’s names', async () => {
    await putRules(JSON.stringify(rules))
    expect(await keysOf({ batch: 'photos', label: 'coffee' })).toEqual([keys[0], keys[5]])
    expect(await keysOf({ batch: 'photos', label: 'espresso' })).toEqual([keys[0], keys[5]])
    expect(await keysOf({ batch: 'photos', label: 'tripod' })).toEqual([])
  })

  it('can be ignored on request', async () => {
    await putRules(JSON.stringify(rules))
    expect(topsOf((await recordsOf({ batch: 'photos', labels: 'model' })).records)).toContain('espresso')
  })

  it('prevents exports from using a file with other labels', async () => {
    await putRules(JSON.stringify({ rename: { espresso: 'coffee' } }))
    const locationOf = async (query: Query) =>
      (await ask({ batch: 'large', format: 'csv', ...query })).headers.location ?? ''
    const shown = await locationOf({})
    expect(shown).toContain('/exports/')
    expect(await (await fetch(shown)).text()).toContain(',ok,coffee,')
    expect(await locationOf({ labels: 'model' })).toContain('/batches/large/results.csv')
  })

  it.each(['{', '{"renames":{}}'])(
    'that is invalid is a notice in the gallery, and an error of exports: %s',
    async (text) => {
      await putRules(text)
      for (const query of [{}, { batch: 'photos' }] as Query[]) {
        const { statusCode, body } = await ask(query)
        expect(statusCode).toBe(200)
        expect(body).toMatchObject({
          notice: { code: 'bad_labels', message: expect.stringContaining('s3://results/labels.json') },
        })
      }
      expect(topsOf((await recordsOf({ batch: 'photos' })).records)).toContain('espresso')
      for (const format of ['csv', 'jsonl', 'parquet']) {
        const answer = await ask({ batch: 'photos', format })
        expect(answer.statusCode).toBe(500)
        expect(errorIn(answer)).toMatchObject({ code: 'bad_labels', hint: expect.any(String) })
      }
      expect((await ask({ batch: 'photos', format: 'csv', labels: 'model' })).statusCode).toBe(200)
    },
  )

  it('applies to the list of batches', async () => {
    await putRules(JSON.stringify(rules))
    const { batches } = (await ask({})).body as { batches: BatchSummary[] }
    const photos = batches.find(({ batch }) => batch === 'photos')
    expect(photos?.labels.map(({ label }) => label)).toEqual(['coffee', 'kitty'])
  })
})

describe('the list of batches', () => {
  it('has the latest first, with their most frequent labels', async () => {
    const day = (hour: string) => `2027-01-01T${hour}:00:00.000Z`
    const labels = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((label) => recordOf(`${label}.jpg`, label))
    await writeClosed(store, 'my-holiday', [recordOf('1.jpg')], day('11'))
    await writeClosed(store, '20270101-100000-aaaaaa', labels, day('10'))
    await writeClosed(store, '20270101-120000-bbbbbb', [recordOf('1.jpg')], day('12'))
    const { batches } = (await ask({})).body as { batches: BatchSummary[] }
    const ids = batches.map(({ batch }) => batch)
    expect(ids.slice(0, 3)).toEqual(['20270101-120000-bbbbbb', 'my-holiday', '20270101-100000-aaaaaa'])
    expect(ids).toContain('photos')
    expect(batches[2]?.labels).toHaveLength(5)
    expect(batches[2]?.totals.ok).toBe(7)
  })

  it('reads only the latest of the ids that contain a date', () => {
    const ids = ['20260101-000000-a', 'nightly-2026-03-01', 'uploads-2026-02-01', '20260201-100000-a', 'mine']
    expect(newestIds(ids, 3)).toEqual([
      'nightly-2026-03-01',
      'uploads-2026-02-01',
      '20260201-100000-a',
      'mine',
    ])
  })
})

describe('the page', () => {
  it('is self-contained and allows only its own script and the store of the images', async () => {
    const { statusCode, headers, body } = await ask({ format: 'html', batch: 'no-such-batch' })
    expect(statusCode).toBe(200)
    expect(headers['content-type']).toBe('text/html; charset=utf-8')
    const policy = headers['content-security-policy'] ?? ''
    expect(policy).toContain(`default-src 'none'`)
    const { s3Endpoint } = store.settings
    expect(policy).toContain(`img-src 'self' data: blob: ${s3Endpoint};`)
    expect(policy).toContain(`connect-src 'self' ${s3Endpoint};`)
    expect(policy).toContain(`require-trusted-types-for 'script'; trusted-types 'none'`)
    expect(policy).not.toMatch(/unsafe|\*/)
    expect(String(body)).not.toMatch(/(?:src|href)="(?:https?:)?\/\//)
    const [, script = ''] = /<script type="module">(.*)<\/script>/s.exec(String(body)) ?? []
    const [, style = ''] = /<style>(.*)<\/style>/s.exec(String(body)) ?? []
    expect(policy).toContain(`script-src ${hashOf(script)};`)
    expect(policy).toContain(`style-src ${hashOf(style)};`)
  })
})

it('never contains a secret', () => {
  expect(answers.length).toBeGreaterThan(80)
  for (const secret of secrets) expect(answers.filter((answer) => answer.includes(secret))).toEqual([])
})
