import type S3 from 'ibm-cos-sdk/clients/s3'
import { newestBatches } from '../../src/batch/reports/newest'
import { endedBefore, removeBatch } from '../../src/batch/reports/prune'
import { resultsKey } from '../../src/batch/state/layout'
import type { Settings } from '../../src/config'
import { partBytes } from '../../src/storage/multipart'
import { type Bucket, openStore } from '../../src/storage/store'
import { collect, okRecord, type TestStore, tabby } from '../unit/batch-fixtures'
import { newRunner, type Runner } from '../unit/batch-runner'

/** A store with access restricted to the actions' key in `settings`, and a client of its owner. */
export interface Guard {
  /** Settings of the actions: a key under `docs/policies/actions.json`. */
  settings: Settings
  owner: S3
  close(): Promise<void>
}

/** Bucket names that replace those in the policy. */
export const guardedBuckets = { imagesBucket: 'my-images', resultsBucket: 'results.of-mine' }

const images = 24
/** All together exceed one part. */
const longName = 'é'.repeat(200_000)

/** A batch under a key with nothing but the documented policy. */
export function guardedBatchContract(connect: () => Promise<Guard>): void {
  let guard: Guard
  let objects: TestStore
  let runner: Runner
  let results: Bucket

  beforeAll(async () => {
    guard = await connect()
    const { settings, owner } = guard
    const store = openStore(settings)
    const names = [settings.imagesBucket, settings.resultsBucket]
    objects = {
      settings,
      store,
      newBucket: async () => store.bucket(names.shift() ?? ''),
      unfinishedUploads: async ({ name: Bucket }) => {
        const { Uploads = [] } = await owner.listMultipartUploads({ Bucket }).promise()
        return Uploads.map(({ Key = '' }) => Key)
      },
      close: guard.close,
    }
    runner = await newRunner(objects)
    results = runner.results
    runner.recordOf = (key, etag) =>
      okRecord(key, { bucket: runner.photos.name, etag, labels: [{ ...tabby, className: longName }] })
    const encryption = { ServerSideEncryption: settings.s3Encryption }
    for (let n = 0; n < images; n++) {
      const Key = `photos/${String(n).padStart(3, '0')}.jpg`
      await owner.putObject({ Bucket: settings.imagesBucket, Key, Body: `${n}`, ...encryption }).promise()
    }
  })
  afterAll(() => guard.close())

  it('is planned, dispatched, and closed in parts', async () => {
    const { state, totals } = await runner.start({ batch: 'large', prefix: 'photos/' })
    expect({ state, totals }).toMatchObject({
      state: 'complete',
      totals: { ok: images, error: 0, pending: 0 },
    })
    const { size = 0, etag } = (await results.head(resultsKey('large', 'results.jsonl'))) ?? {}
    expect(size).toBeGreaterThan(partBytes)
    expect(etag).toMatch(/-\d+$/)
    expect(await runner.keysOf('large')).toHaveLength(images)
    expect(await objects.unfinishedUploads(results)).toEqual([])
  })

  it('completes an upload again after a lost answer', async () => {
    const upload = await results.beginUpload('tried/twice', 'text/plain')
    const etags: string[] = []
    for (const body of [Buffer.alloc(partBytes), Buffer.from('rest')])
      etags.push(await results.uploadPart('tried/twice', upload, etags.length + 1, body))
    await results.completeUpload('tried/twice', upload, etags)
    await results.completeUpload('tried/twice', upload, etags)
    expect(await results.head('tried/twice')).toMatchObject({ size: partBytes + 4 })
  })

  it('is fired again, and pruned', async () => {
    await runner.start({ batch: 'again', prefix: 'photos/00', force: true })
    const { totals } = await runner.start({ batch: 'again', retry: true })
    expect(totals).toMatchObject({ ok: 10, error: 0 })
    const later = Date.now() + 60_000
    expect((await endedBefore(results, later)).map(({ batch }) => batch)).toContain('again')
    expect(await removeBatch(runner.context(), 'again', later)).toBeGreaterThan(3)
    // Some stores still list the folder with old versions.
    expect((await endedBefore(results, later)).map(({ batch }) => batch)).not.toContain('again')
    expect((await newestBatches(results)).map(({ batch }) => batch).sort()).toEqual(['large'])
    expect(await runner.start({ batch: 'again', prefix: 'photos/00', force: true })).toMatchObject({
      state: 'complete',
    })
  })

  it('presigns readable links', async () => {
    for (const [bucket, key] of [
      [runner.photos, 'photos/000.jpg'],
      [results, resultsKey('large', 'results.csv')],
    ] as const)
      expect((await fetch(bucket.presign(key, 60))).status).toBe(200)
  })

  it('has all its objects encrypted', async () => {
    const { s3Encryption, resultsBucket } = guard.settings
    const keys = (await collect(results.list())).map(({ key }) => key)
    expect(keys.length).toBeGreaterThan(10)
    for (const Key of keys) {
      const { ServerSideEncryption } = await guard.owner.headObject({ Bucket: resultsBucket, Key }).promise()
      expect([Key, ServerSideEncryption]).toEqual([Key, s3Encryption])
    }
  })
}
