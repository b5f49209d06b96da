import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { settingsFromParams } from '../../src/config'
import { type ObjectStore as Server, startObjectStore } from '../../src/local/store/server'
import { type Bucket, openStore } from '../../src/storage/store'
import { bucketContract } from '../contract/bucket-cases'
import { collect } from '../helpers/async'
import { Process } from './process'
import { ObjectStore } from './store/bucket'
import { Objects } from './store/contents'
import type { Wire } from './wire'

/** Responds at once, without faults. */
const wire: Pick<Wire, 'request'> = { request: async ({ effect }) => effect() }

function openBucket(pageLength = 3): Bucket {
  const now = () => Date.parse('2026-11-22T08:00:00.900Z')
  const store = new ObjectStore({ wire, now, pageLength, partBytes: 5 * 1024 * 1024, blockBytes: 1000 })
  store.create('bucket', new Objects())
  return store.of(new Process('test')).bucket('bucket')
}

describe('the store in memory', () => {
  bucketContract(async () => openBucket())

  describe('compared with the embedded store', () => {
    let server: Server
    let dataDir: string
    let made = 0

    beforeAll(async () => {
      dataDir = await mkdtemp(join(tmpdir(), 'whisklens-beside-'))
      const credentials = { accessKeyId: 'access', secretAccessKey: 'secret' }
      server = await startObjectStore({ dataDir, port: 0, region: 'us-east-1', credentials })
    })
    afterAll(async () => {
      await server.close()
      await rm(dataDir, { recursive: true })
    })

    const key = fc.array(fc.constantFrom('a', 'b', '/', '~', 'é', '～', '😀', ' '), {
      minLength: 1,
      maxLength: 3,
    })
    // File systems have no empty folders.
    const anyKey = key.map((pieces) => `k${pieces.join('')}`.replace(/\/+/g, '/x').replace(/\/$/, ''))
    const anyStep = fc.record({
      what: fc.constantFrom('put', 'create', 'replace', 'delete', 'get', 'list', 'lines'),
      key: anyKey,
      body: fc.constantFrom('', 'one', 'one\ntwo', 'ü\n'),
    })
    type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never

    async function take({ what, key, body }: Step, bucket: Bucket): Promise<unknown> {
      switch (what) {
        case 'put':
          return bucket.put(key, body)
        case 'create':
          return bucket.put(key, body, { replaces: null })
        case 'replace':
          return bucket.put(key, `${body}!`, { replaces: (await bucket.head(key))?.etag ?? 'none' })
        case 'delete':
          return bucket.delete(key)
        case 'get': {
          const { etag, size, body: found } = await bucket.get(key)
          return { etag, size, text: found.toString() }
        }
        case 'list': {
          const listed = await collect(bucket.list({ prefix: key.slice(0, 1), startAfter: key }))
          return listed.map(({ key, etag, size }) => ({ key, etag, size }))
        }
        case 'lines':
          return collect(bucket.lines(key, { blockBytes: 2 }))
      }
    }

    it('responds the same to any sequence of requests', async () => {
      const store = openStore(
        settingsFromParams({
          s3Endpoint: server.endpoint,
          s3AccessKeyId: 'access',
          s3SecretAccessKey: 'secret',
        }),
      )
      await fc.assert(
        fc.asyncProperty(fc.array(anyStep, { maxLength: 15 }), async (steps) => {
          const real = store.bucket(`beside-${++made}`)
          await real.createIfMissing()
          const fake = openBucket()
          for (const step of steps) {
            const [expected, found] = await Promise.allSettled([take(step, real), take(step, fake)])
            const outcome = (one: PromiseSettledResult<unknown>) =>
              one.status === 'fulfilled' ? one.value : one.reason.code
            expect([step, outcome(found)]).toEqual([step, outcome(expected)])
          }
        }),
        { numRuns: 60 },
      )
    })
  })
})
