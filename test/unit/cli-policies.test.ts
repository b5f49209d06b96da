import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { resultsKey, summaryKey } from '../../src/batch/state/layout'
import { settingsFromParams } from '../../src/config'
import { readPolicy } from '../../src/local/policies'
import { openStore } from '../../src/storage/store'
import { okRecord } from './batch-fixtures'
import { run, summaryOf, temporaryFolder } from './cli-run'
import { credentials, temporaryStore } from './object-store-client'

const buckets = { imagesBucket: 'images', resultsBucket: 'results' }
const names = ['actions', 'uploader', 'reader'] as const

const folder = temporaryFolder()
let store: Awaited<ReturnType<typeof temporaryStore>>
let owner: ReturnType<typeof openStore>

beforeAll(async () => {
  const users = await Promise.all(
    names.map(async (name) => ({
      accessKeyId: name,
      secretAccessKey: 'secret',
      policy: await readPolicy(name, buckets),
    })),
  )
  store = await temporaryStore({ users })
  const { accessKeyId: s3AccessKeyId, secretAccessKey: s3SecretAccessKey } = credentials
  owner = openStore(settingsFromParams({ s3Endpoint: store.endpoint, s3AccessKeyId, s3SecretAccessKey }))
  const results = owner.bucket('results')
  for (const bucket of [owner.bucket('images'), results]) await bucket.createIfMissing()
  await results.put(
    summaryKey('b1'),
    JSON.stringify(summaryOf('b1', { endedAt: '2026-11-22T08:00:00.000Z' })),
  )
  await results.put(resultsKey('b1', 'results.jsonl'), `${JSON.stringify(okRecord('a.jpg'))}\n`)
  await mkdir(join(folder.path, 'up'))
  await writeFile(join(folder.path, 'up', 'small.jpg'), 'small')
  await writeFile(join(folder.path, 'up', 'large.jpg'), Buffer.alloc(9_000_000))
})
afterAll(() => store.remove())

const whisklens = (key: (typeof names)[number], ...args: string[]) =>
  run(folder.path, args, {
    WHISKLENS_S3_ENDPOINT: store.endpoint,
    WHISKLENS_S3_ACCESS_KEY_ID: key,
    WHISKLENS_S3_SECRET_ACCESS_KEY: 'secret',
  })

describe('the command line', () => {
  it('uploads small and large files under the uploaders’ policy', async () => {
    const { code, lines } = await whisklens('uploader', 'upload', '--json', 'up')
    expect(code).toBe(0)
    for (const { key, etag, size } of lines.map((line) => JSON.parse(line)))
      expect(await owner.bucket('images').head(key)).toMatchObject({ etag, size })
    expect(lines).toHaveLength(2)
  })

  it.each([[['status']], [['status', 'b1']], [['results', 'b1']], [['cost']]])(
    'reads under the readers’ policy: %j',
    async (args) => {
      expect(await whisklens('reader', ...args)).toMatchObject({ code: 0 })
    },
  )

  it.each([
    ['uploader', ['status']],
    ['reader', ['upload', 'up/small.jpg']],
    ['reader', ['prune', '--older-than', '1d', '--yes']],
    ['actions', ['upload', 'up/small.jpg']],
  ] as const)('is refused what a policy does not allow, and says so: %s, %j', async (key, args) => {
    const { code, stderr } = await whisklens(key, ...args)
    expect([code, stderr]).toEqual([1, expect.stringMatching(/AccessDenied.*\nhint: .*policy/)])
  })

  it('prunes batches under the actions’ policy', async () => {
    expect(await whisklens('actions', 'prune', '--older-than', '1d', '--yes')).toMatchObject({ code: 0 })
    expect(await owner.bucket('results').head(summaryKey('b1'))).toBeUndefined()
  })
})
