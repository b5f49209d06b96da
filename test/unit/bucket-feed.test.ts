import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Registration, readRegistration } from '../../src/storage/feeds'
import type { Bucket } from '../../src/storage/store'
import { main } from '../../triggers/bucket-feed'
import { advanceClock, minutes, setClock, startTestStore, type TestStore } from './batch-fixtures'

const trigger = '/guest/image-uploaded'
const created = '2026-11-22T08:00:00Z'
/** The registration time minus a minute, the tolerance for clock skew. */
const from = (time: string) => new Date(Date.parse(time) - minutes(1)).toISOString()

let objects: TestStore
let results: Bucket
let platform: Server

beforeAll(async () => {
  objects = await startTestStore()
  // A platform without the alarms package.
  platform = createServer((_, response) => response.writeHead(404).end('{}')).listen(0, '127.0.0.1')
  await new Promise((done) => platform.once('listening', done))
  const { port } = platform.address() as AddressInfo
  Object.assign(process.env, {
    __OW_API_HOST: `http://127.0.0.1:${port}`,
    __OW_API_KEY: 'uuid:key',
    __OW_NAMESPACE: 'guest',
    __OW_ACTION_NAME: '/guest/whisklens/bucket-feed',
  })
})
afterAll(async () => {
  for (const name of ['HOST', 'KEY']) delete process.env[`__OW_API_${name}`]
  for (const name of ['NAMESPACE', 'ACTION_NAME']) delete process.env[`__OW_${name}`]
  platform.closeAllConnections()
  await new Promise((done) => platform.close(done))
  await objects.close()
})
beforeEach(async () => {
  setClock(created)
  results = await objects.newBucket()
})
afterEach(() => jest.useRealTimers())

const tell = (lifecycleEvent: string, params: object = {}) =>
  main({
    ...objects.settings,
    imagesBucket: 'photos',
    resultsBucket: results.name,
    triggerName: trigger,
    lifecycleEvent,
    ...params,
  }) as Promise<Partial<Registration> & { error?: string; polling?: boolean }>

it('starts watching now, to the minute', async () => {
  expect(await tell('CREATE')).toMatchObject({ bucket: 'photos', since: from(created), polling: false })
  expect(await readRegistration(results, trigger)).toMatchObject({ trigger, since: from(created) })
})

describe('a trigger that is created again', () => {
  it.each([
    ['after it was deleted', ['DELETE']],
    ['after it was deleted twice', ['DELETE', 'DELETE']],
    ['behind the feed’s back', []],
  ])('%s resumes watching', async (_, events) => {
    await tell('CREATE')
    advanceClock(minutes(60))
    for (const event of events) expect(await tell(event)).toEqual({ trigger, deleted: true })
    advanceClock(minutes(60))
    expect(await tell('CREATE', { minutes: 0 })).toMatchObject({ since: from(created), paused: false })
  })

  it('starts with all existing images on request', async () => {
    await tell('CREATE', { backlog: true })
    await tell('DELETE')
    expect(await tell('CREATE')).toMatchObject({ since: undefined })
  })

  it('follows its parameters', async () => {
    await tell('CREATE', { backlog: 'true' })
    await tell('DELETE')
    advanceClock(minutes(60))
    expect(await tell('CREATE', { backlog: 'false' })).toMatchObject({ since: from('2026-11-22T09:00:00Z') })
    await tell('DELETE')
    expect(await tell('CREATE', { since: 2025 })).toMatchObject({ since: '2025-01-01T00:00:00.000Z' })
    await tell('DELETE')
    expect(await tell('CREATE', { backlog: true })).toMatchObject({ since: undefined })
  })

  it.each([{ bucket: 'others' }, { prefix: 'more/' }])('for %j watches from now on', async (other) => {
    await tell('CREATE', { prefix: 'photos/' })
    await tell('DELETE')
    advanceClock(minutes(60))
    expect(await tell('CREATE', other)).toMatchObject({ since: from('2026-11-22T09:00:00Z') })
  })

  it('resumes for a part of what it watched', async () => {
    await tell('CREATE', { prefix: 'photos/' })
    advanceClock(minutes(60))
    expect(await tell('CREATE', { prefix: 'photos/a' })).toMatchObject({ since: from(created) })
  })

  it('starts now after more than a week', async () => {
    await tell('CREATE')
    await tell('DELETE')
    advanceClock(minutes(8 * 24 * 60))
    expect(await tell('CREATE')).toMatchObject({ since: from('2026-11-30T08:00:00Z') })
  })
})

it('reports a deleted trigger as unknown', async () => {
  await tell('CREATE')
  await tell('DELETE')
  for (const event of ['READ', 'UPDATE', 'PAUSE', 'UNPAUSE'])
    expect((await tell(event)).error).toContain('watches no bucket (feed_not_found)')
})

it('changes only what is requested', async () => {
  const before = await tell('CREATE', { prefix: 'photos/', settle: 7 })
  advanceClock(minutes(60))
  expect(await tell('UPDATE', { minutes: 0 })).toEqual(before)
  expect(await tell('UPDATE', { prefix: '', settle: 9 })).toEqual({ ...before, prefix: '', settle: 9 })
  expect(await tell('UPDATE', { since: '2026-01-01' })).toMatchObject({ since: '2026-01-01T00:00:00.000Z' })
  expect(await tell('UPDATE', { backlog: true })).toMatchObject({ since: undefined })
})
