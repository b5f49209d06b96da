import { fire } from '../../src/batch/running/fire'
import { resume } from '../../src/batch/running/reconcile'
import { type FireRequest, parseBatchRequest } from '../../src/batch/running/request'
import { storeMessage } from '../../src/batch/running/webhook'
import { readBatch } from '../../src/batch/state/batch'
import { listOpen } from '../../src/batch/state/open'
import { OpenWhiskError } from '../../src/errors'
import { log } from '../../src/log'
import { openWebhook, type Webhook } from '../../src/webhook/send'
import { startReceiver, verified, webhookSecret } from '../helpers/receiver'
import { collect, minutes, startTestStore, type TestStore, textOf, watched } from './batch-fixtures'
import { newRunner, type Runner } from './batch-runner'

let objects: TestStore
let runner: Runner
let receiver: Awaited<ReturnType<typeof startReceiver>>

beforeAll(async () => {
  objects = await startTestStore()
})
afterAll(() => objects.close())

beforeEach(async () => {
  runner = await newRunner(objects)
  await runner.photos.put('a.jpg', 'x')
})
afterEach(() => receiver?.close())

/** Sends the runner’s webhook messages to a receiver. */
async function tell(answers: number[] = []): Promise<void> {
  receiver = await startReceiver(answers)
  runner.webhook = openWebhook({ webhookUrl: receiver.url, webhookSecret, ca: undefined })
}

const waiting = async () =>
  (await collect(runner.results.list({ prefix: 'webhooks/' }))).map(({ key }) => key)

/** The accepted messages; libraries would reject their timestamps where the clock was moved. */
const bodies = () => receiver.accepted().map(({ body }) => JSON.parse(body))

const idsOf = (some: { headers: Record<string, unknown> }[]) =>
  some.map(({ headers }) => headers['webhook-id'])

describe('the message about the end of a batch', () => {
  it('is accepted once after two failures, by id, with the summary as signed', async () => {
    await tell([500, 503])
    const summary = await runner.start({ batch: 'b1' })
    const ids = idsOf(receiver.received)
    expect(receiver.received.map(({ status }) => status)).toEqual([500, 503, 204])
    expect(new Set(ids)).toEqual(new Set([expect.stringMatching(/^msg_[\da-f]{32}$/)]))
    expect(receiver.accepted().map((one) => verified(one))).toEqual([summary])
    expect(JSON.parse((await textOf(runner.results, 'batches/b1/summary.json')) ?? '')).toEqual(summary)
    expect(await waiting()).toEqual([])
  })

  it('has its own id in each run', async () => {
    await tell()
    await runner.start({ batch: 'b1' })
    await runner.photos.put('b.jpg', 'x')
    await runner.start({ batch: 'b1' })
    expect(receiver.accepted().map((one) => verified(one))).toMatchObject([
      { totals: { ok: 1 } },
      { totals: { ok: 2 } },
    ])
    expect(new Set(idsOf(receiver.received)).size).toBe(2)
  })

  it('is sent for a stopped batch too', async () => {
    await tell()
    runner.openwhisk.invoke = async () => {
      throw new OpenWhiskError(404, 'There is no such action')
    }
    await runner.start({ batch: 'b1' })
    expect(receiver.accepted().map((one) => verified(one))).toMatchObject([{ batch: 'b1', state: 'stopped' }])
  })

  it('does not wait for a receiver that is down, and is retried with growing backoff', async () => {
    await tell(Array(8).fill(500))
    const summary = await runner.start({ batch: 'b1' })
    expect(summary.state).toBe('complete')
    expect(await readBatch(runner.results, 'b1')).toMatchObject({ announced: true, lease: { holder: null } })
    expect(await collect(listOpen(runner.results))).toEqual([])
    expect(receiver.received).toHaveLength(5)
    expect(await waiting()).toEqual(['webhooks/b1~1~1'])
    // Attempts are dated by the store’s clock, not the runner’s.
    const reconcileAfter = async (milliseconds: number) => {
      runner.clock.advance(Date.now() + milliseconds - runner.clock.now())
      await resume(runner.context())
      return receiver.received.length
    }
    expect(await reconcileAfter(minutes(4))).toBe(5)
    expect(await reconcileAfter(minutes(6))).toBe(6)
    expect(await reconcileAfter(minutes(6))).toBe(6)
    expect(await reconcileAfter(minutes(31))).toBe(7)
    expect(await reconcileAfter(minutes(121))).toBe(8)
    expect(receiver.accepted()).toEqual([])
    expect(await reconcileAfter(minutes(301))).toBe(9)
    expect(bodies()).toEqual([summary])
    expect(new Set(idsOf(receiver.received)).size).toBe(1)
    expect(await waiting()).toEqual([])
    expect(await reconcileAfter(minutes(6_000))).toBe(9)
  })

  it('is dropped after more than a day, and logged', async () => {
    await tell(Array(100).fill(500))
    await runner.start({ batch: 'b1' })
    const lines: string[] = []
    const keep = log.error
    log.error = ((fields: object, text: string) => lines.push(JSON.stringify({ ...fields, text }))) as never
    for (let n = 0; n < 10; n++) {
      runner.clock.advance(minutes(700))
      await resume(runner.context())
    }
    log.error = keep
    expect(receiver.received).toHaveLength(5 + 6)
    expect(lines).toEqual([expect.stringMatching(/"batch":"b1".*was dropped/)])
    expect(await waiting()).toEqual([])
  })

  it('is sent if the activation dies between storing and sending it', async () => {
    await tell()
    const { results } = runner
    let isDead = false
    const dying = watched(results, ({ method, key }) => {
      if (isDead) throw new Error('It is gone')
      // Its last request: batch-completed is not fired, and the end not announced.
      isDead = method === 'put' && key.startsWith('webhooks/')
    })
    const dead: Webhook = { send: async () => Promise.reject(new Error('It is gone')) }
    runner.openwhisk.fire = async () => Promise.reject(new Error('It is gone'))
    const context = { ...runner.context(), results: dying, webhook: dead }
    await expect(fire(parseBatchRequest({ batch: 'b1' }) as FireRequest, context)).rejects.toThrow(
      'It is gone',
    )
    expect(receiver.received).toEqual([])
    expect(await readBatch(results, 'b1')).toMatchObject({ status: 'complete', announced: false })
    runner.openwhisk.fire = async () => undefined
    runner.clock.advance(minutes(5))
    const summary = await runner.start({ advance: 'b1' })
    expect(bodies()).toEqual([summary])
    expect(await waiting()).toEqual([])
  })

  it('is sent if the activation dies after the announcement but before sending', async () => {
    await tell()
    const { webhook } = runner
    runner.webhook = undefined
    const summary = await runner.start({ batch: 'b1' })
    runner.webhook = webhook
    await storeMessage(summary, 1, runner.context())
    runner.clock.advance(minutes(2))
    await resume(runner.context())
    expect(receiver.accepted().map((one) => verified(one))).toEqual([summary])
  })

  it('has the same id if the response that accepted it was lost', async () => {
    await tell()
    const real = runner.webhook as Webhook
    let isLost = true
    runner.webhook = {
      send: async (...message) => {
        await real.send(...message)
        if (isLost) throw new Error('No answer')
      },
    }
    await runner.start({ batch: 'b1' })
    isLost = false
    runner.clock.advance(minutes(10))
    await resume(runner.context())
    expect(receiver.accepted().length).toBeGreaterThan(1)
    expect(new Set(idsOf(receiver.accepted())).size).toBe(1)
    expect(await waiting()).toEqual([])
  })
})

it('many pending messages are sent a few at a time', async () => {
  await tell(Array(1_000).fill(500))
  const summary = await runner.start({ batch: 'b0' })
  const before = receiver.received.length
  for (let n = 1; n <= 40; n++) await storeMessage({ ...summary, batch: `b${n}` }, 1, runner.context())
  runner.clock.advance(minutes(2))
  await resume(runner.context())
  expect(receiver.received.length - before).toBe(16)
})
