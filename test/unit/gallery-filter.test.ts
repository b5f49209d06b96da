import fc from 'fast-check'
import { matches, querySchema } from '../../src/batch/reports/query'
import { type LabelView, labelView, modelsLabels } from '../../src/labels/view'
import type { ImageRecord } from '../../src/schema'
import { queryOf } from '../../src/web/gallery/data/exports'
import { type Filters, noFilters, sorts } from '../../src/web/gallery/data/gallery'
import { keysOf } from '../../src/web/gallery/data/keys'
import { orderOf } from '../../src/web/gallery/data/order'
import { loadIndex } from '../../src/web/gallery/data/photo-index'
import { resultOf } from '../../src/web/gallery/data/result'
import { errorOf, recordOf } from '../helpers/gallery'
import { indexOf } from '../helpers/gallery-index'

const classes = [
  { label: 'tabby', className: 'tabby, tabby cat', wordnetId: 'n02123045' },
  { label: 'lynx', className: 'lynx, catamount', wordnetId: 'n02127052' },
  { label: 'beagle', className: 'beagle', wordnetId: 'n02088364' },
  { label: 'crane', className: 'crane', wordnetId: 'n02012849' },
  { label: 'crane', className: 'crane', wordnetId: 'n03126707' },
  { label: 'espresso', className: 'espresso', wordnetId: 'n07920052' },
]

const labels = fc
  .record({
    order: fc.shuffledSubarray(classes, { minLength: 5, maxLength: 5 }),
    eighths: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 5, maxLength: 5 }),
  })
  .map(({ order, eighths }) => {
    const sorted = [...eighths].sort((a, b) => b - a)
    return order.map((label, at) => ({
      ...label,
      index: at,
      // Sums of eighths are exact in binary and in thousandths.
      probability: (sorted[at] ?? 0) / 8,
    }))
  })

const record: fc.Arbitrary<ImageRecord> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({
        labels,
        takenAt: fc.constantFrom(
          undefined,
          '2026-05-01T23:59:59',
          '2026-05-31T10:00:00',
          '2027-01-01T00:00:00',
        ),
        camera: fc.constantFrom(undefined, 'Canon EOS R5', 'Apple iPhone 15'),
      })
      .map(({ labels, takenAt, camera }) => ({ ...recordOf(''), labels, exif: { takenAt, camera } })),
  },
  { weight: 1, arbitrary: fc.constantFrom('image_corrupt', 'lost').map((code) => errorOf('', code, 'no')) },
)

const folder = fc.constantFrom('Cats/İstanbul', 'dogs', 'ESPRESSO', 'x')
const records = fc
  .array(fc.tuple(record, folder), { maxLength: 60 })
  .map((all) =>
    all.map(([one, name], row) => ({ ...one, key: `${String(row).padStart(3, '0')}/${name}.jpg` })),
  )

const share = fc.integer({ min: 0, max: 1000 }).map((thousandths) => thousandths / 1000)
const date = fc.constantFrom('', '2026', '2026-05', '2026-05-31', '2026-05-31T10:00')
const filters: fc.Arbitrary<Filters> = fc.record({
  labels: fc.constantFrom([], [], ['tabby'], ['crane', 'beagle'], ['pet'], ['Espresso!'], ['gone']),
  confidence: fc.oneof(
    fc.constant<[number, number]>([0, 1]),
    fc.tuple(share, share).map(([a, b]): [number, number] => [Math.min(a, b), Math.max(a, b)]),
  ),
  status: fc.constantFrom('' as const, '' as const, 'ok' as const, 'error' as const),
  code: fc.constantFrom('', '', 'lost', 'gone'),
  search: fc.constantFrom('', '', 'cat', 'Dog', 'feline', 'espresso', 'i̇stan', '1/', '.jpg\n', 'PET'),
  takenSince: date,
  takenUntil: date,
  camera: fc.constantFrom('', '', 'canon', 'phone'),
  sort: fc.constantFrom(...sorts),
})

const view = fc.constantFrom<LabelView>(
  modelsLabels,
  labelView({
    schema: 'whisklens.labels/1',
    ignore: [],
    rename: { espresso: 'Espresso!' },
    groups: {},
    minimum: {},
  }),
  labelView({
    schema: 'whisklens.labels/1',
    ignore: ['lynx'],
    rename: {},
    groups: { pet: ['dog', 'cat'] },
    minimum: { '*': 0.2, pet: 0.5 },
  }),
  labelView({
    schema: 'whisklens.labels/1',
    ignore: ['crane', 'espresso', 'cat', 'dog'],
    rename: {},
    groups: {},
    minimum: {},
  }),
)

async function load(all: ImageRecord[], shown: LabelView) {
  const { answer, fetcher, asked } = indexOf(all, { blockRows: 7, view: shown })
  const index = await loadIndex(fetcher, answer, () => {})
  const keys = keysOf(fetcher, answer.index, () => answer.index)
  await keys.load()
  const show = (given: Filters) =>
    resultOf(index, given, orderOf(index, given.sort), given.search ? keys.having(given.search) : undefined)
  return { show, asked }
}

/** What the action would export. A confidence limit excludes rows without labels; the page adds status=ok to such queries. */
function naive(all: ImageRecord[], shown: LabelView, given: Filters): number[] {
  const isWanted = matches(querySchema.parse(queryOf(given)))
  const isLimited = given.confidence[0] > 0 || given.confidence[1] < 1
  return all.flatMap((one, row) => {
    const found = shown.record(one)
    return isWanted(found) && !(isLimited && found.labels.length === 0) ? [row] : []
  })
}

describe('the filters of the gallery', () => {
  it('match the action’s exports', async () => {
    await fc.assert(
      fc.asyncProperty(records, view, filters, async (all, shown, given) => {
        const { show } = await load(all, shown)
        expect([...show(given).rows].sort((a, b) => a - b)).toEqual(naive(all, shown, given))
      }),
      { numRuns: 300 },
    )
  })

  it('count each facet as if its own filter were not set', async () => {
    await fc.assert(
      fc.asyncProperty(records, view, filters, async (all, shown, given) => {
        const { labels, codes, statuses, confidence, cameras } = (await load(all, shown)).show(given)
        const under = (changes: Partial<Filters>) =>
          naive(all, shown, { ...given, ...changes }).map((row) => shown.record(all[row] as ImageRecord))
        const byLabel = under({ labels: [] })
        for (const { name, count } of labels)
          expect(byLabel.filter((one) => one.labels[0]?.label === name)).toHaveLength(count)
        expect(labels.reduce((sum, { count }) => sum + count, 0)).toBe(
          byLabel.filter((one) => one.labels.length > 0).length,
        )
        const byStatus = under({ status: '', code: '' })
        expect(statuses.error).toBe(byStatus.filter(({ status }) => status === 'error').length)
        expect(statuses.ok).toBe(byStatus.length - statuses.error)
        expect(codes.reduce((sum, { count }) => sum + count, 0)).toBe(statuses.error)
        const anySure = under({ confidence: [0, 1] }).filter((one) => one.labels.length > 0)
        expect(confidence.reduce((sum, count) => sum + count, 0)).toBe(anySure.length)
        const anyCamera = under({ camera: '' }).filter(({ exif }) => exif?.camera)
        expect(cameras.reduce((sum, { count }) => sum + count, 0)).toBe(anyCamera.length)
      }),
      { numRuns: 200 },
    )
  })

  it('sort stably, rows without a value last', async () => {
    await fc.assert(
      fc.asyncProperty(records, fc.constantFrom(...sorts), async (all, sort) => {
        const { show } = await load(all, modelsLabels)
        const rank = (row: number): number | undefined => {
          const { labels, exif } = all[row] as ImageRecord
          const value = sort.endsWith('taken')
            ? exif?.takenAt && Date.parse(exif.takenAt.slice(0, 16))
            : sort === 'key'
              ? row
              : labels[0] && Math.round(labels[0].probability * 1000)
          return value === undefined ? undefined : (value as number) * (sort.startsWith('-') ? -1 : 1)
        }
        const expected = all
          .map((_, row) => row)
          .sort((a, b) => (rank(a) ?? Number.MAX_VALUE) - (rank(b) ?? Number.MAX_VALUE) || a - b)
        expect([...show({ ...noFilters, sort }).rows]).toEqual(expected)
      }),
    )
  })

  it('list an active label filter, even without matches', async () => {
    const { show } = await load([recordOf('a', 'tripod'), recordOf('b')], modelsLabels)
    const found = show({ ...noFilters, labels: ['tripod'], confidence: [0.9, 1] })
    expect(found.labels).toEqual([{ name: 'tripod', count: 0 }])
  })

  it('read further labels only if rules ignore or merge some', async () => {
    const all = [recordOf('a', 'espresso')]
    const rules = { schema: 'whisklens.labels/1' as const, ignore: [], rename: {}, groups: {}, minimum: {} }
    const bytesOf = async (shown: LabelView) => {
      const { asked } = await load(all, shown)
      const [from = 0, to = 0] = (asked[0] ?? '').slice('bytes='.length).split('-').map(Number)
      return to - from
    }
    const bare = await bytesOf(modelsLabels)
    expect(await bytesOf(labelView({ ...rules, rename: { espresso: 'Espresso!' } }))).toBe(bare)
    expect(await bytesOf(labelView({ ...rules, ignore: ['lynx'] }))).toBeGreaterThan(bare)
  })

  it('know the days on which photos were taken', async () => {
    const taken = (key: string, takenAt: string) => ({ ...recordOf(key), exif: { takenAt } })
    const { show } = await load(
      [taken('a', '2026-05-31T23:59:59'), recordOf('b'), taken('c', '2025-01-01T00:00:00')],
      modelsLabels,
    )
    expect(show(noFilters).taken).toEqual({ first: '2025-01-01', last: '2026-05-31' })
  })
})
