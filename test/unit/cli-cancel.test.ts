import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { summaryKey } from '../../src/batch/state/layout'
import type { BatchSummary } from '../../src/schema'
import { run, startStore, summaryOf, temporaryFolder } from './cli-run'

const folder = temporaryFolder()
let store: Awaited<ReturnType<typeof startStore>>
let server: Server
let invoked: unknown[]
let requests: unknown[]
let onInvoked: () => Promise<unknown>
let response: object | undefined

beforeAll(async () => {
  store = await startStore(folder.path)
  server = createServer(async (request, answer) => {
    requests.push(request.url)
    const body = String(Buffer.concat(await request.toArray()))
    const isInvocation = request.url?.includes('/actions/whisklens/start-batch')
    if (isInvocation) {
      invoked.push(JSON.parse(body))
      await onInvoked()
    }
    const found = isInvocation ? { activationId: 'cancels' } : response && { response }
    answer.writeHead(found ? 200 : 404, { 'content-type': 'application/json' })
    answer.end(JSON.stringify(found ?? { error: 'The requested resource does not exist.' }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
})

afterAll(async () => {
  server.close()
  await store.close()
})

beforeEach(() => {
  invoked = []
  requests = []
  onInvoked = async () => {}
  response = undefined
})

const put = (summary: BatchSummary) => store.results.put(summaryKey(summary.batch), JSON.stringify(summary))

const cancel = (...args: string[]) => whisklens('cancel', ...args)
const whisklens = (...args: string[]) =>
  run(folder.path, args, {
    ...store.env,
    WHISKLENS_APIHOST: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    WHISKLENS_AUTH: 'uuid:key',
  })

const totals = { listed: 3, planned: 3, skipped: 0, ok: 1, error: 1, pending: 1 }

it.each(['cancel', 'retry'])('%s looks for the batch before it asks for anything', async (command) => {
  const { code, stdout, stderr } = await whisklens(command, 'nope')
  expect([code, stdout, invoked, requests]).toEqual([1, '', [], []])
  expect(stderr).toMatch(/^Waiting for batch nope to start\nerror: There is no batch "nope"\nhint: /)
})

describe('whisklens cancel', () => {
  it('exits with 0 once the batch is cancelled, whatever failed', async () => {
    await put(summaryOf('b1', { state: 'running' }))
    onInvoked = () => put(summaryOf('b1', { state: 'cancelled', totals }))
    const { code, stdout, stderr } = await cancel('b1')
    expect([code, invoked]).toEqual([0, [{ batch: 'b1', cancel: true }]])
    expect(stderr).toBe('Next: whisklens retry b1   # resumes it\n')
    expect(stdout).toMatch(/^batch +b1\nstate +cancelled\n/)
  })

  it.each<[BatchSummary['state'], number]>([
    ['complete', 3],
    ['stopped', 1],
  ])('reports a batch that was already %s', async (state, expected) => {
    await put(summaryOf('b1', { state, totals }))
    const { code, stderr } = await cancel('b1')
    expect([code, stderr]).toEqual([expected, `Nothing was cancelled: the batch was already ${state}\n`])
  })

  it.each<[BatchSummary['state'], number, string]>([
    ['complete', 3, 'all images were already dispatched, and the batch has ended'],
    ['stopped', 1, 'the batch has stopped'],
  ])('reports a batch that ends as %s instead', async (state, expected, why) => {
    await put(summaryOf('b1', { state: 'running' }))
    onInvoked = () => put(summaryOf('b1', { state, totals }))
    const { code, stderr } = await cancel('b1')
    expect([code, stderr]).toEqual([expected, `Nothing was cancelled: ${why}\n`])
  })

  it('reports the error of start-batch', async () => {
    await put(summaryOf('b1', { state: 'running' }))
    response = { success: false, result: { error: { code: 'bucket_not_found', message: 'no such bucket' } } }
    const { code, stderr } = await cancel('b1')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: start-batch failed: no such bucket\nhint: Create the bucket/)
  })

  it('refuses the uploads of a day', async () => {
    await put(summaryOf('uploads-2026-11-22', { state: 'running' }))
    const { code, stderr } = await cancel('uploads-2026-11-22')
    expect([code, invoked]).toEqual([2, []])
    expect(stderr).toContain('Expected a fired batch')
  })
})
