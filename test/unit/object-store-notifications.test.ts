import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { commit } from '../../src/local/store/bucket'
import { retryDelays } from '../../src/local/store/delivery'
import { startNotifications } from '../../src/local/store/notifications'
import { addBucket, bucketOf, closeStore, openStore } from '../../src/local/store/store'
import { encodeKey, put, send, temporaryStore } from './object-store-client'

interface Post {
  authorization: string | undefined
  EventName: string
  Key: string
  Records: { eventName: string; s3: { object: { key: string; sequencer: string } } }[]
}

/** A webhook that answers with each of `statuses`, then 200. While `isHolding`, answers wait for `release`. */
async function startWebhook() {
  const posts: Post[] = []
  const held: (() => void)[] = []
  const hook = { statuses: [] as number[], isHolding: false, open: 0, maxOpen: 0 }
  const read = async (incoming: IncomingMessage) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk)
    return JSON.parse(Buffer.concat(chunks).toString())
  }
  const server = createServer(async (incoming, outgoing) => {
    hook.maxOpen = Math.max(hook.maxOpen, ++hook.open)
    const post = await read(incoming)
    posts.push({ authorization: incoming.headers.authorization, ...post })
    if (hook.isHolding) await new Promise<void>((resolve) => held.push(resolve))
    hook.open--
    outgoing.writeHead(hook.statuses.shift() ?? 200).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(hook, {
    posts,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    records: () => posts.flatMap(({ Records }) => Records),
    keys: () => posts.flatMap(({ Records }) => Records.map(({ s3 }) => s3.object.key)),
    release() {
      hook.isHolding = false
      for (const resolve of held.splice(0)) resolve()
    },
    async until(check: () => boolean) {
      while (!check()) await sleep(5)
    },
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  })
}

let hook: Awaited<ReturnType<typeof startWebhook>>
let store: Awaited<ReturnType<typeof temporaryStore>>

const watch = () => store.setNotifications([{ bucket: 'bucket', url: hook.url, token: 'secret-token' }])
const putKey = (key: string) => put(store.endpoint, `/bucket/${encodeKey(key)}`, 'x')
const remove = (key: string) => send(store.endpoint, { method: 'DELETE', path: `/bucket/${encodeKey(key)}` })
const received = (count: number) => hook.until(() => hook.records().length >= count)

beforeEach(async () => {
  hook = await startWebhook()
  store = await temporaryStore()
  await put(store.endpoint, '/bucket')
})

afterEach(async () => {
  hook.release()
  await store.remove()
  await hook.stop()
})

it('posts an S3 event with its key URL-encoded, and the token', async () => {
  watch()
  await put(store.endpoint, `/bucket/${encodeKey('ünï/a b+c&d.jpg')}`, 'hello')
  await received(1)
  expect(hook.posts[0]).toEqual({
    authorization: 'Bearer secret-token',
    EventName: 's3:ObjectCreated:Put',
    Key: 'bucket/ünï/a b+c&d.jpg',
    Records: [
      {
        eventVersion: '2.1',
        eventSource: 'aws:s3',
        awsRegion: 'us-east-1',
        eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        eventName: 'ObjectCreated:Put',
        s3: {
          s3SchemaVersion: '1.0',
          configurationId: 'whisklens',
          bucket: { name: 'bucket', arn: 'arn:aws:s3:::bucket' },
          object: {
            key: '%C3%BCn%C3%AF/a+b%2Bc%26d.jpg',
            size: 5,
            eTag: '5d41402abc4b2a76b9719d911017c592',
            sequencer: expect.stringMatching(/^[\dA-F]{16}$/),
          },
        },
      },
    ],
  })
})

it('distinguishes puts, copies and removals, in order', async () => {
  watch()
  await putKey('a')
  await send(store.endpoint, {
    method: 'PUT',
    path: '/bucket/b',
    headers: { 'x-amz-copy-source': 'bucket/a' },
  })
  await remove('a')
  await remove('a')
  await putKey('c')
  await received(4)
  expect(hook.records().map(({ eventName, s3 }) => `${eventName} ${s3.object.key}`)).toEqual([
    'ObjectCreated:Put a',
    'ObjectCreated:Copy b',
    'ObjectRemoved:Delete a',
    'ObjectCreated:Put c',
  ])
  const sequencers = hook.records().map(({ s3 }) => s3.object.sequencer)
  expect(sequencers).toEqual([...sequencers].sort())
})

it('coalesces events during a post, 16 records at most, one post at a time', async () => {
  hook.isHolding = true
  watch()
  await putKey('first')
  await received(1)
  for (let n = 0; n < 20; n++) await putKey(`${n}`)
  hook.release()
  await received(21)
  expect(hook.posts.map(({ Records }) => Records.length)).toEqual([1, 16, 4])
  expect(hook.maxOpen).toBe(1)
})

it.each([[503], [429]])('retries after status %i', async (status) => {
  hook.statuses = [status, status]
  watch()
  await putKey('a')
  await received(3)
  expect(hook.keys()).toEqual(['a', 'a', 'a'])
})

it('continues after a final refusal', async () => {
  hook.statuses = [400]
  watch()
  await putKey('refused')
  await received(1)
  await putKey('next')
  await received(2)
  expect(hook.keys()).toEqual(['refused', 'next'])
})

it('gives up after a bounded number of attempts and continues', async () => {
  expect(retryDelays).toHaveLength(9)
  const folder = await mkdtemp(join(tmpdir(), 'whisklens-store-'))
  const files = openStore(folder, 'us-east-1')
  addBucket(files, 'plain')
  const notifications = startNotifications(files, [1, 1, 1])
  hook.statuses = [500, 500, 500, 500]
  notifications.set([{ bucket: 'plain', url: hook.url }])
  const object = { file: 'none', size: 0, etag: '', modified: 0, headers: {}, via: 'Put' as const }
  for (const key of ['lost', 'next']) commit(bucketOf(files, 'plain'), { put: { ...object, key } })
  await received(5)
  expect(hook.keys().slice(0, 4)).toEqual(['lost', 'lost', 'lost', 'lost'])
  expect(hook.keys().at(-1)).toBe('next')
  expect(hook.posts[0]?.authorization).toBeUndefined()
  notifications.stop()
  closeStore(files)
  await rm(folder, { recursive: true })
})

it('keeps unacknowledged events over a restart, and does not repeat others', async () => {
  watch()
  await putKey('done')
  await received(1)
  // The next post is sent only after the first acknowledgement is stored.
  hook.isHolding = true
  await putKey('cut off')
  await received(2)
  await putKey('waiting')
  await store.stop()
  hook.release()
  hook.posts.length = 0
  await store.start()
  watch()
  await received(2)
  expect(hook.keys()).toEqual(['cut+off', 'waiting'])
})

it('keeps events over a restart that compacts the journal', async () => {
  hook.isHolding = true
  watch()
  for (let n = 0; n < 550; n++) {
    await putKey('again')
    await remove('again')
  }
  await store.stop()
  hook.release()
  hook.posts.length = 0
  await store.start()
  watch()
  await received(1100)
  expect(hook.records()).toHaveLength(1100)
  expect(new Set(hook.records().map(({ s3 }) => s3.object.sequencer)).size).toBe(1100)
  await store.stop()
  await store.start()
})

it('watches a bucket from the moment it is requested, also one that is created later', async () => {
  await putKey('before')
  store.setNotifications(['bucket', 'later'].map((bucket) => ({ bucket, url: hook.url })))
  await putKey('after')
  await put(store.endpoint, '/later')
  await put(store.endpoint, '/later/first')
  await received(2)
  expect(hook.posts.map(({ Key }) => Key).sort()).toEqual(['bucket/after', 'later/first'])
})

it('forgets a bucket that is no longer watched', async () => {
  watch()
  await putKey('watched')
  await received(1)
  store.setNotifications([])
  await putKey('unwatched')
  watch()
  await putKey('watched again')
  await received(2)
  expect(hook.keys()).toEqual(['watched', 'watched+again'])
})

it('starts over with a bucket that was deleted and created again', async () => {
  watch()
  await putKey('a')
  await remove('a')
  await received(2)
  await send(store.endpoint, { method: 'DELETE', path: '/bucket' })
  await put(store.endpoint, '/bucket')
  await putKey('b')
  await received(3)
  expect(hook.keys()).toEqual(['a', 'a', 'b'])
  const [first, , last] = hook.records().map(({ s3 }) => s3.object.sequencer)
  expect(`${first}` < `${last}`).toBe(true)
})

it('needs no listener', async () => {
  await hook.stop()
  watch()
  expect((await putKey('a')).status).toBe(200)
  hook = await startWebhook()
  watch()
  await received(1)
  expect(hook.keys()).toEqual(['a'])
})
