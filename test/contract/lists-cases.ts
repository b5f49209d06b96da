import { lookUp, page } from '../../src/batch/planning/look-up'
import { planChunks } from '../../src/batch/planning/planner'
import type { Bucket, Store } from '../../src/storage/store'
import { collect } from '../helpers/async'
import { batchOf, inBytes } from '../unit/batch-fixtures'

/** Requirements on lists of images, for any store. @param open opens the store, and two new, empty buckets */
export function listContract(open: () => Promise<{ store: Store; images: Bucket; results: Bucket }>): void {
  let store: Store
  let images: Bucket
  let results: Bucket
  beforeAll(async () => {
    const opened = await open()
    store = opened.store
    images = opened.images
    results = opened.results
    for (const key of there) await images.put(key, 'v1')
  })

  const there = ['in/boat.png', 'in/café, bar.jpg', 'in/red fox.jpg', 'in/z&%20+.jpg', '😀/～.jpg']
  const keys = [...there, 'in/gone.jpg']
  const address = (key: string) => `s3://${images.name}/${key}`
  const twice = [...keys, ...keys].reverse()
  const shapes: [string, (key: string) => string][] = [
    ['keys', (key) => key],
    ['source-ref', (key) => JSON.stringify({ 'source-ref': address(key) })],
    ['content', (key) => JSON.stringify({ content: address(key), mimeType: 'image/jpeg' })],
    ['bucket and key', (key) => `${images.name},"${key}"`],
    ['inventory', (key) => `"${images.name}","${encodeURIComponent(key)}","2","2026-11-20T10:00:00.000Z"`],
  ]

  it.each(shapes)('in the format %s are planned', async (shape, line) => {
    const key = `lists/${shape}`
    await results.put(key, twice.map((one) => `${line(one)}\r\n`).join(''))
    const batch = batchOf(images.name, { batch: 'b1', manifest: `s3://${results.name}/${key}` })
    const chunks = await collect(planChunks(batch, store, results, { now: Date.now() }))
    const found = chunks.flatMap((chunk) => chunk.images)
    expect(found.map((image) => image.key)).toEqual([...keys].sort(inBytes))
    expect(found.filter(({ etag }) => etag === undefined).map((image) => image.key)).toEqual(['in/gone.jpg'])
  })

  it('are an error if missing', async () => {
    const batch = batchOf(images.name, { manifest: `s3://${results.name}/lists/none` })
    await expect(collect(planChunks(batch, store, results, { now: 0 }))).rejects.toMatchObject({
      code: 'manifest_not_found',
    })
  })

  it('are read in a single version', async () => {
    await results.put('lists/changing', 'in/boat.png\n')
    const from = { etag: '0123456789abcdef0123456789abcdef', bytes: 0, lines: 0, files: [], sorted: false }
    const batch = batchOf(
      images.name,
      { manifest: `s3://${results.name}/lists/changing` },
      { plan: { list: from } },
    )
    await expect(collect(planChunks(batch, store, results, { now: 0 }))).rejects.toMatchObject({
      code: 'manifest_changed',
    })
  })

  it.each([
    ['listed', 1_000],
    ['asked after', 1],
  ])('are looked up: %s', async (_, length) => {
    const before = { ...page }
    Object.assign(page, { length, min: 1_000 } satisfies typeof page)
    try {
      const found = await lookUp(images, [...keys].sort(inBytes))
      expect([...found.keys()].sort(inBytes)).toEqual([...there].sort(inBytes))
    } finally {
      Object.assign(page, before)
    }
  })
}
