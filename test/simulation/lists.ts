import { photos, type ScenarioEvent, type Selection } from './events'
import type { Complaints, EndedBatchFiles } from './invariants'
import type { Random } from './random'
import { buckets, type World } from './world'

/*
 * A batch fired with a list of images: in any order and shape, with duplicates and missing images.
 */

const listKey = 'manifests/list'
/** The selection of a batch that is fired with the list. */
export const listed: Selection = { prefix: '', manifest: `s3://${buckets.results}/${listKey}` }

const shapes: ((key: string) => string)[] = [
  (key) => key,
  (key) => `s3://${buckets.images}/${key}`,
  (key) => JSON.stringify({ 'source-ref': `s3://${buckets.images}/${key}` }),
  (key) => JSON.stringify({ content: `s3://${buckets.images}/${key}`, mimeType: 'image/jpeg' }),
  (key) => `${buckets.images},"${key.replaceAll('"', '""')}"`,
  (key) => `"${buckets.images}","${encodeURIComponent(key)}","48211","2026-11-20T10:00:00.000Z"`,
]

/** Writes a list of some images, replacing the previous one. */
export function writeList(random: Random, at: number): ScenarioEvent {
  const ours = random.fork(`list ${at}`)
  const happen = (world: World): void => {
    const there = world.images.page('', '', 1000).map(({ key }) => key)
    const missing = Array.from({ length: ours.between(0, 6) }, (_, index) => `${photos}missing ${index}.jpg`)
    const keys = [...there.filter(() => ours.chance(0.7)), ...missing]
    const line = ours.pick(shapes)
    const named = [...keys, ...keys.filter(() => ours.chance(0.3))]
    const lines = shuffled(named, ours).map((key) => `${line(key)}${ours.chance(0.1) ? '\r' : ''}\n`)
    world.listed = keys
    for (const key of keys) world.everListed.add(key)
    world.results.put(listKey, Buffer.from(lines.join('')), { now: world.time.now })
  }
  return { at, name: 'write list', happen }
}

function shuffled<T>(values: T[], random: Random): T[] {
  const left = [...values]
  return values.map(() => left.splice(random.between(0, left.length - 1), 1)[0] as T)
}

/** Checks that a batch of a list, fired after the last change, has each image once, with errors for missing ones. */
export function checkListed(
  world: World,
  { batch, summary, records }: EndedBatchFiles,
  complaints: Complaints,
): void {
  const id = batch.batch
  const { everListed, images, results, model } = world
  complaints.expect(summary.state === 'complete', () => `${id} ended as ${summary.state}: ${summary.reason}`)
  if (summary.state !== 'complete') return
  complaints.expect(
    summary.totals.listed === world.listed.length,
    () => `${id} has listed ${summary.totals.listed} of ${world.listed.length} images of its list`,
  )
  const known = new Map(records.map((record) => [record.key, record]))
  for (const key of world.listed) {
    const [record, image] = [known.get(key), images.get(key)]
    const newest = results.get(`images/${model}/images/${key}`)?.body.toString('utf8')
    const isFresh = image !== undefined && newest !== undefined && JSON.parse(newest).etag === image.etag
    complaints.expect(record !== undefined || isFresh, () => `${id} has lost ${key}, which is on its list`)
    if (image && record)
      // Like with filters, images classified by another batch meanwhile are skipped and keep their record in the results.
      complaints.expect(isFresh || record.etag === image.etag, () => `${id} has ${key} as of ${record.etag}`)
    if (!image)
      complaints.expect(
        record?.error?.code === 'image_missing',
        () => `${id}: expected image_missing for ${key}, got ${JSON.stringify(record?.error)}`,
      )
  }
  for (const key of known.keys())
    complaints.expect(everListed.has(key), () => `${id} has ${key}, which is on no list`)
  const portions = results.page(`batches/${id}/list/`, '', 1000)
  complaints.expect(portions.length === 0, () => `${id} has not deleted the portions of its list`)
}
