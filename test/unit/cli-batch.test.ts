import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { summaryKey } from '../../src/batch/state/layout'
import type { BatchSummary } from '../../src/schema'
import { run, startStore, summaryOf, temporaryFolder } from './cli-run'

/** A stand-in for OpenWhisk's API: it notes what it was asked, and answers as a test wants. */
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

const whisklens = (...args: string[]) =>
  run(folder.path, ['batch', ...args], {
    ...store.env,
    WHISKLENS_APIHOST: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    WHISKLENS_AUTH: 'uuid:key',
  })

/** Fires become batches that are complete at once. */
const completing =
  (standing: Partial<BatchSummary> = {}): Api =>
  async (path, { batch }) => {
    if (!path.startsWith('/_/triggers/batch-requested')) return pending
    await put(summaryOf(String(batch), { ...standing, state: 'running' }))
    setTimeout(() => put(summaryOf(String(batch), standing)), 1000)
    return { status: 202, body: { activationId: 'fired' } }
  }

describe('whisklens batch', () => {
  it('fires batch-requested with an id of its own, waits and prints the summary', async () => {
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

  it('ends with 3 when images are in error', async () => {
    api = completing({ totals: { listed: 3, planned: 3, skipped: 0, ok: 2, error: 1, pending: 0 } })
    const { code, stdout } = await whisklens('photos/', '--batch', 'some', '--since', '2026-01-31')
    expect([code, asked[0]?.body.since]).toEqual([3, '2026-01-31T00:00:00.000Z'])
    expect(stdout).toMatch(/done +2 ok, 1 in error/)
  })

  it('only prints the id with --no-wait', async () => {
    api = completing()
    const { code, stdout } = await whisklens('', '--batch', 'mine', '--no-wait', '--namespace', '_')
    expect([code, stdout]).toEqual([0, 'mine\n'])
  })

  it('says so when no active rule listens', async () => {
    api = () => ({ status: 204 })
    const { code, stderr } = await whisklens('', '--json')
    expect(code).toBe(1)
    expect(JSON.parse(stderr).error).toMatchObject({
      code: 'no_active_rule',
      message: expect.stringMatching(/no active rule listens$/),
      hint: expect.stringMatching(/^Enable it: wsk rule enable on-batch-requested/),
    })
  })

  it('tells at once when start-batch fails, in its own words', async () => {
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

  it("takes what an action failed with out of the platform's text", async () => {
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
      hint: expect.stringContaining('safe to do it again'),
    })
  })

  it('says nothing of an empty bucket where it was stopped before it looked', async () => {
    const totals = { listed: 0, planned: 0, skipped: 0, ok: 0, error: 0, pending: 0 }
    api = completing({ state: 'stopped', totals })
    const { code, stderr } = await whisklens('', '--batch', 'unlisted', '--bucket', 'nosuch')
    expect([code, stderr]).toEqual([1, 'Fired batch-requested: batch unlisted\n'])
    api = completing({ totals })
    expect((await whisklens('x', '--batch', 'nothing')).stderr).toContain('holds nothing below "x"\n')
  })

  it('says what to do where Whisklens is not deployed', async () => {
    api = () => ({ status: 404, body: { error: 'The requested resource does not exist.' } })
    const { code, stderr } = await whisklens('')
    expect(code).toBe(1)
    expect(stderr).toMatch(/does not exist\.\nhint: Deploy Whisklens there: whisklens deploy/)
  })

  it('tells when the rule could not start it', async () => {
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

  /** start-batch is invoked, and its activation can be read at the second look. */
  const counting = (response: object): Api => {
    let looks = 0
    return (path) => {
      if (path === '/_/actions/whisklens/start-batch')
        return { status: 202, body: { activationId: 'counts' } }
      return path === '/_/activations/counts' && ++looks > 1 ? { status: 200, body: { response } } : pending
    }
  }

  it('asks start-batch to count with --dry-run, and fires nothing', async () => {
    const totals = { listed: 9, planned: 4, skipped: 5, ok: 0, error: 0, pending: 4 }
    api = counting({ success: true, result: summaryOf('x', { totals }) })
    const { code, stdout } = await whisklens('photos/', '--dry-run')
    expect([code, stdout]).toEqual([0, '4 images would be classified: 9 listed, 5 unchanged and skipped\n'])
    expect(asked[0]?.body).toMatchObject({ prefix: 'photos/', dryRun: true })
    expect(asked.filter(({ path }) => path.includes('trigger'))).toEqual([])
  })

  it('tells what it would cost, with --dry-run', async () => {
    const totals = { listed: 9, planned: 4, skipped: 5, ok: 0, error: 0, pending: 4 }
    const result = summaryOf('x', { totals, gbSeconds: 1.25, cost: 0.00002125, pricePerGbSecond: 0.000017 })
    api = counting({ success: true, result })
    const { stdout } = await whisklens('photos/', '--dry-run')
    expect(stdout).toMatch(/\nThis would cost about 0.0000213 for 1.25 GB-s at 0.000017 each\n$/)
  })

  it('passes filters and limits on as they are meant', async () => {
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

  it('tells what a dry run failed with', async () => {
    api = counting({ success: false, result: { error: { code: 'bad_parameter', message: 'not that one' } } })
    const { code, stderr } = await whisklens('', '--dry-run')
    expect([code, stderr]).toEqual([1, 'error: start-batch failed: not that one\n'])
    api = counting({ success: false, result: { error: 'The action exceeded its time limits.' } })
    expect((await whisklens('', '--dry-run')).stderr).toContain(
      'failed: The action exceeded its time limits.',
    )
  })

  it('does not wait long for a host that refuses the key', async () => {
    api = () => ({ status: 401, body: { error: 'The supplied authentication is invalid' } })
    const { code, stderr } = await whisklens('')
    expect(code).toBe(1)
    expect(stderr).toMatch(/authentication is invalid\nhint: Check the API key/)
  })
})
