import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { summaryKey } from '../../src/batch/state/layout'
import { type BatchSummary, batchRequestSchema } from '../../src/schema'
import { run, startStore, summaryOf, temporaryFolder } from './cli-run'

/** A fake OpenWhisk API, which records requests. */
type Answer = { status: number; body?: unknown }
type Api = (path: string, body: Record<string, unknown>) => Answer | Promise<Answer>

const folder = temporaryFolder()
let store: Awaited<ReturnType<typeof startStore>>
let server: Server
let api: Api
let asked: { path: string; authorization?: string; body: Record<string, unknown> }[]

beforeAll(async () => {
  store = await startStore(folder.path)
  server = createServer(async (request, response) => {
    const chunks = await request.toArray()
    const body = JSON.parse(String(Buffer.concat(chunks)) || '{}')
    const path = (request.url ?? '').replace('/api/v1/namespaces', '').replace(/\?.*$/, '')
    asked.push({ path, authorization: request.headers.authorization, body })
    const answer = await api(path, body)
    response.writeHead(answer.status, { 'content-type': 'application/json' })
    response.end(answer.body === undefined ? '' : JSON.stringify(answer.body))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
})

afterAll(async () => {
  server.close()
  await store.close()
})

beforeEach(() => {
  asked = []
})

const put = (summary: BatchSummary) => store.results.put(summaryKey(summary.batch), JSON.stringify(summary))
const pending: Answer = { status: 404, body: { error: 'The requested resource does not exist.' } }

const whisklensWith = (input: string | Buffer | undefined, ...args: string[]) =>
  run(
    folder.path,
    ['batch', ...args],
    {
      ...store.env,
      WHISKLENS_APIHOST: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      WHISKLENS_AUTH: 'uuid:key',
    },
    input,
  )
const whisklens = (...args: string[]) => whisklensWith(undefined, ...args)

/** Completes each fired batch after a second. */
const completing =
  (standing: Partial<BatchSummary> = {}): Api =>
  async (path, { batch }) => {
    if (!path.startsWith('/_/triggers/batch-requested')) return pending
    await put(summaryOf(String(batch), { ...standing, state: 'running' }))
    setTimeout(() => put(summaryOf(String(batch), standing)), 1000)
    return { status: 202, body: { activationId: 'fired' } }
  }

/** Accepts an invocation of start-batch; its activation is available at the second poll. */
const counting = (response: object): Api => {
  let polls = 0
  return (path) => {
    if (path === '/_/actions/whisklens/start-batch') return { status: 202, body: { activationId: 'counts' } }
    return path === '/_/activations/counts' && ++polls > 1 ? { status: 200, body: { response } } : pending
  }
}

describe('whisklens batch', () => {
  it('fires batch-requested with its own id, waits and prints the summary', async () => {
    api = completing()
    const { code, stdout, stderr } = await whisklens(
      'photos/',
      '--include',
      '*.jpg',
      '--limit',
      '7',
      '--force',
      '--json',
    )
    expect(code).toBe(0)
    const [fired] = asked
    expect(fired).toMatchObject({
      path: '/_/triggers/batch-requested',
      authorization: `Basic ${Buffer.from('uuid:key').toString('base64')}`,
      body: { prefix: 'photos/', include: '*.jpg', limit: 7, force: true },
    })
    const id = String(fired?.body.batch)
    expect(id).toMatch(/^\d{8}-\d{6}-[0-9a-f]{6}$/)
    expect(JSON.parse(stdout)).toEqual(summaryOf(id))
    expect(stderr).toBe(`Fired batch-requested: batch ${id}\n`)
  })

  it('exits with 3 if images failed', async () => {
    api = completing({ totals: { listed: 3, planned: 3, skipped: 0, ok: 2, error: 1, pending: 0 } })
    const { code, stdout } = await whisklens('photos/', '--batch', 'some', '--since', '2026-01-31')
    expect([code, asked[0]?.body.since]).toEqual([3, '2026-01-31T00:00:00.000Z'])
    expect(stdout).toMatch(/done +2 ok, 1 in error/)
  })

  it('prints only the id with --no-wait', async () => {
    api = completing()
    const { code, stdout } = await whisklens('', '--batch', 'mine', '--no-wait', '--namespace', '_')
    expect([code, stdout]).toEqual([0, 'mine\n'])
  })

  it('reports a missing active rule', async () => {
    api = () => ({ status: 204 })
    const { code, stderr } = await whisklens('', '--json')
    expect(code).toBe(1)
    expect(JSON.parse(stderr).error).toMatchObject({
      code: 'no_active_rule',
      message: expect.stringMatching(/it has no active rule$/),
      hint: expect.stringMatching(/^Enable it: wsk rule enable on-batch-requested/),
    })
  })

  it('reports immediately when start-batch fails, with its message', async () => {
    const failure = {
      name: 'StorageError',
      code: 'bucket_not_found',
      message: 'no such bucket',
      hint: 'make it',
    }
    const line = {
      statusCode: 0,
      success: true,
      activationId: 'second',
      action: 'guest/whisklens/start-batch',
    }
    const answers: Record<string, Answer> = {
      '/_/triggers/batch-requested': { status: 202, body: { activationId: 'first' } },
      '/_/activations/first': { status: 200, body: { logs: ['text', JSON.stringify(line)] } },
      '/_/activations/second': {
        status: 200,
        body: { response: { success: false, result: { error: failure } } },
      },
    }
    api = (path) => answers[path] ?? pending
    const { code, stderr } = await whisklens('', '--json', '--quiet')
    expect(code).toBe(1)
    expect(JSON.parse(stderr).error).toEqual({
      code: 'bucket_not_found',
      message: 'start-batch failed: no such bucket',
      hint: 'make it',
    })
  })

  it("extracts the error of an action from the platform's text", async () => {
    const fails = async (error: string) => {
      api = counting({ success: false, result: { error } })
      const { stderr } = await whisklens('', '--dry-run', '--json')
      return JSON.parse(stderr).error
    }
    expect(await fails('No such bucket "x" (y) (bucket_not_found). Create it. Or not.')).toEqual({
      code: 'bucket_not_found',
      message: 'start-batch failed: No such bucket "x" (y)',
      hint: 'Create it. Or not.',
    })
    expect(await fails('No "model" (openwhisk_error)')).toEqual({
      code: 'openwhisk_error',
      message: 'start-batch failed: No "model"',
      hint: expect.stringContaining('WHISKLENS_APIHOST'),
    })
    expect(await fails('It exited unexpectedly.')).toEqual({
      code: 'action_failed',
      message: 'start-batch failed: It exited unexpectedly.',
      hint: expect.stringContaining('Repeating it is safe'),
    })
  })

  it('says that skipped images may be in error', async () => {
    const note = 'Skipped images keep their record, errors included; --force classifies them again\n'
    const totals = { listed: 3, planned: 0, skipped: 3, ok: 0, error: 0, pending: 0 }
    api = completing({ totals })
    const skipped = await whisklens('photos/', '--batch', 'unchanged')
    expect([skipped.code, skipped.stderr]).toEqual([0, `Fired batch-requested: batch unchanged\n${note}`])
    // A further run, which skips its own results.
    api = completing({ totals: { ...totals, planned: 3, ok: 3 } })
    expect((await whisklens('photos/', '--batch', 'again')).stderr).not.toContain(note)
  })

  it('reports an empty bucket only if the batch listed it', async () => {
    const totals = { listed: 0, planned: 0, skipped: 0, ok: 0, error: 0, pending: 0 }
    api = completing({ state: 'stopped', totals })
    const { code, stderr } = await whisklens('', '--batch', 'unlisted', '--bucket', 'nosuch')
    expect([code, stderr]).toEqual([
      1,
      'Fired batch-requested: batch unlisted\nNext: whisklens retry unlisted\n',
    ])
    api = completing({ totals })
    expect((await whisklens('x', '--batch', 'nothing')).stderr).toContain(
      'No object in the bucket has the prefix "x"\n',
    )
  })

  it('says what to do if Whisklens is not deployed', async () => {
    api = () => ({ status: 404, body: { error: 'The requested resource does not exist.' } })
    const { code, stderr } = await whisklens('')
    expect(code).toBe(1)
    expect(stderr).toMatch(/does not exist\.\nhint: Deploy Whisklens: whisklens deploy/)
  })

  it('reports when the rule could not start it', async () => {
    const line = {
      statusCode: 1,
      success: false,
      action: 'guest/whisklens/start-batch',
      error: 'Too many requests',
    }
    api = (path) =>
      path.includes('/triggers/')
        ? { status: 202, body: { activationId: 'first' } }
        : { status: 200, body: { logs: [JSON.stringify(line)] } }
    const { code, stderr } = await whisklens('')
    expect(code).toBe(1)
    expect(stderr).toContain('error: start-batch failed: Too many requests')
  })

  it('invokes start-batch to count with --dry-run, without firing', async () => {
    const totals = { listed: 9, planned: 4, skipped: 5, ok: 0, error: 0, pending: 4 }
    api = counting({ success: true, result: summaryOf('x', { totals }) })
    const { code, stdout } = await whisklens('photos/', '--dry-run')
    expect([code, stdout]).toEqual([0, '4 images would be classified: 9 listed, 5 unchanged and skipped\n'])
    expect(asked[0]?.body).toMatchObject({ prefix: 'photos/', dryRun: true })
    expect(asked.filter(({ path }) => path.includes('trigger'))).toEqual([])
  })

  it('estimates the cost with --dry-run', async () => {
    const totals = { listed: 9, planned: 4, skipped: 5, ok: 0, error: 0, pending: 4 }
    const result = summaryOf('x', { totals, gbSeconds: 1.25, cost: 0.00002125, pricePerGbSecond: 0.000017 })
    api = counting({ success: true, result })
    const { stdout } = await whisklens('photos/', '--dry-run')
    expect(stdout).toMatch(/\nThis would cost about 0.0000213 for 1.25 GB-s at 0.000017 each\n$/)
  })

  it('passes filters and limits on', async () => {
    api = counting({ success: true, result: summaryOf('x') })
    const filters = ['--min-size', '10k', '--max-size', '5M', '--sample', '0.5%', '--max-cost', '2.5']
    expect((await whisklens('', '--dry-run', ...filters)).code).toBe(0)
    expect(asked[0]?.body).toMatchObject({
      minSize: 10_240,
      maxSize: 5_242_880,
      sample: '0.5%',
      maxCost: 2.5,
    })
    const wrong = await whisklens('', '--sample', '5')
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('such as 1% or 0.5%')])
  })

  it('reports the error of a dry run', async () => {
    api = counting({ success: false, result: { error: { code: 'bad_parameter', message: 'not that one' } } })
    const { code, stderr } = await whisklens('', '--dry-run')
    expect([code, stderr]).toEqual([1, 'error: start-batch failed: not that one\n'])
    api = counting({ success: false, result: { error: 'The action exceeded its time limits.' } })
    expect((await whisklens('', '--dry-run')).stderr).toContain(
      'failed: The action exceeded its time limits.',
    )
  })

  it('fails fast if the host refuses the key', async () => {
    api = () => ({ status: 401, body: { error: 'The supplied authentication is invalid' } })
    const { code, stderr } = await whisklens('')
    expect(code).toBe(1)
    expect(stderr).toMatch(/authentication is invalid\nhint: Check the API key/)
  })
})

describe('whisklens batch --manifest', () => {
  const listOf = async (body: Record<string, unknown> | undefined) => {
    const [, bucket, key = ''] = /^s3:\/\/([^/]+)\/(.*)$/.exec(String(body?.manifest)) ?? []
    expect(bucket).toBe(store.results.name)
    return { key, text: (await store.results.find(key))?.body.toString() }
  }

  it('uploads a file, decompressed, and fires with its address, the same for the same list', async () => {
    api = completing()
    const text = 'in/a.jpg\nin/b.jpg\n'
    await writeFile(join(folder.path, 'keys.txt'), text)
    await writeFile(join(folder.path, 'keys.gz'), gzipSync(text))
    for (const file of ['keys.txt', 'keys.gz'])
      expect((await whisklens('--manifest', file, '--batch', 'listed')).code).toBe(0)
    const [first, second] = asked.filter(({ path }) => path.includes('/triggers/'))
    expect(first?.body).toMatchObject({ prefix: '', batch: 'listed' })
    expect(await listOf(first?.body)).toMatchObject({
      key: expect.stringMatching(/^batches\/listed\/manifest-/),
      text,
    })
    expect(second?.body.manifest).toBe(first?.body.manifest)
  })

  it('decompresses stdin', async () => {
    api = completing()
    expect((await whisklensWith(gzipSync('in/a.jpg\n'), '--manifest', '-')).code).toBe(0)
    expect((await listOf(asked[0]?.body)).text).toBe('in/a.jpg\n')
  })

  it('accepts keys on stdin, with prefixes and filters', async () => {
    api = completing()
    const { code } = await whisklensWith(
      'in/a.jpg\n',
      'in/',
      '--manifest',
      '-',
      '--newer-than',
      '7d',
      '--format',
      'JPEG,png',
    )
    expect(code).toBe(0)
    expect(asked[0]?.body).toMatchObject({ prefix: 'in/', newerThan: '7d', format: 'jpeg,png' })
    expect((await listOf(asked[0]?.body)).text).toBe('in/a.jpg\n')
  })

  it('uses a list in the store in place', async () => {
    api = completing()
    await whisklens('--manifest', 's3://animals/lists/all.csv')
    expect(asked[0]?.body.manifest).toBe('s3://animals/lists/all.csv')
  })

  it('deletes a list uploaded for a dry run', async () => {
    const totals = { listed: 1, planned: 1, skipped: 0, ok: 0, error: 0, pending: 1 }
    api = counting({ success: true, result: summaryOf('x', { totals }) })
    expect((await whisklensWith('a.jpg\n', '--manifest', '-', '--dry-run')).code).toBe(0)
    const { key, text } = await listOf(asked[0]?.body)
    expect([key, text]).toEqual([expect.stringMatching(/\/manifest-/), undefined])
  })

  it('reports a missing list, and empty input', async () => {
    const missing = await whisklens('--manifest', 'nosuch.txt')
    expect([missing.code, missing.stderr]).toEqual([
      1,
      expect.stringContaining('There is no file or folder nosuch.txt'),
    ])
    const none = await whisklens()
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('or --manifest with a list')])
    expect(asked).toEqual([])
  })
})

describe('whisklens batch selects', () => {
  const bodyOf = async (...args: string[]) => {
    api = completing()
    await whisklens(...args)
    return asked[0]?.body
  }

  it('several prefixes', async () => {
    const body = await bodyOf('photos/', 'scans/', 'photos/2026/')
    expect(batchRequestSchema.parse(body).prefix).toEqual(['photos/', 'scans/'])
    expect(body?.include).toBeUndefined()
  })

  it('globs, listed by their literal prefix', async () => {
    expect(await bodyOf('photos/20*/**/*.jpg')).toMatchObject({
      prefix: 'photos/20',
      include: 'photos/20*/**/*.jpg',
    })
  })

  it('excludes ages with dates, globs in two places, and unknown formats', async () => {
    for (const [args, problem] of [
      [['', '--newer-than', '7d', '--since', '2026-01-01'], /newer-than.*cannot be used with.*since/],
      [['', '--newer-than', 'soon'], /an age such as 12h, 30d or 8w/],
      [['a/*.jpg', '--include', '*.png'], /not both: a\/\*\.jpg/],
      [['', '--format', 'jpeg,doc'], /one or more of jpeg, png/],
    ] as const) {
      const { code, stderr } = await whisklens(...args)
      expect([code, stderr]).toEqual([2, expect.stringMatching(problem)])
    }
    expect(asked).toEqual([])
  })
})
