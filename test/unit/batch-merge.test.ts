import fc from 'fast-check'
import { comparePositions } from '../../src/batch/records/keys'
import { mergeRecords, newerOf, newestRecords } from '../../src/batch/records/merge'
import type { ImageRecord } from '../../src/schema'
import { collect, errorRecord, from, okRecord } from './batch-fixtures'

const anyRecord = fc
  .record({
    key: fc.constantFrom('a', 'aa', 'b', '～', '😀'),
    bucket: fc.constantFrom('x', 'y'),
    version: fc.integer({ min: 0, max: 2 }),
    minute: fc.integer({ min: 0, max: 2 }),
    isError: fc.boolean(),
  })
  .map(({ key, bucket, version, minute, isError }) => {
    const lastModified = version === 0 ? null : `2026-11-22T07:0${version}:00.000Z`
    const changes = { bucket, lastModified, at: `2026-11-22T08:0${minute}:00.000Z` }
    return isError ? errorRecord(key, {}, changes) : okRecord(key, changes)
  })

const nameOf = ({ key, bucket }: ImageRecord) => `${bucket}/${key}`

/** Each image once, in order. */
const ordered = (records: ImageRecord[]) =>
  [...new Map(records.map((record) => [nameOf(record), record])).values()].sort(comparePositions)

const anySources = fc.array(fc.array(anyRecord, { maxLength: 8 }).map(ordered), { maxLength: 6 })

const merge = (sources: ImageRecord[][], choose = newerOf) =>
  collect(
    mergeRecords(
      sources.map((source) => from(source) as AsyncGenerator<ImageRecord>),
      choose,
    ),
  )

describe('the newer of two records of an image', () => {
  it('has the later version, then the later download', () => {
    const at = (version: string | null, minute: number) =>
      okRecord('a', {
        lastModified: version && `2026-11-22T07:0${version}:00.000Z`,
        at: `2026-11-22T08:0${minute}:00.000Z`,
      })
    expect(newerOf(at('2', 0), at('1', 5))).toEqual(at('2', 0))
    expect(newerOf(at('1', 0), at('1', 5))).toEqual(at('1', 5))
    expect(newerOf(at(null, 9), at('1', 0))).toEqual(at('1', 0))
  })

  it('does not depend on their order', () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { minLength: 1 }), fc.infiniteStream(fc.nat()), (records, numbers) => {
        const one = newestRecords()
        for (const record of records) one.add(record)
        const other = newestRecords()
        const shuffled = records.map((record) => [numbers.next().value, record] as const)
        for (const [, record] of shuffled.sort(([a], [b]) => a - b)) other.add(record)
        expect(other.inOrder()).toEqual(one.inOrder())
      }),
    )
  })
})

describe('merged records', () => {
  it('are the newest of each image, whatever the order of sources', async () => {
    await fc.assert(
      fc.asyncProperty(anySources, async (sources) => {
        const naive = newestRecords()
        for (const record of sources.flat()) naive.add(record)
        expect(await merge(sources)).toEqual(naive.inOrder())
        expect(await merge([...sources].reverse())).toEqual(naive.inOrder())
      }),
    )
  })

  it('prefer the later source when so chosen', async () => {
    await fc.assert(
      fc.asyncProperty(anySources, async (sources) => {
        expect(await merge(sources, (_, later) => later)).toEqual(ordered(sources.flat()))
      }),
    )
  })

  it('are read one per source at a time, and close all sources', async () => {
    let [open, read] = [0, 0]
    async function* source(key: string) {
      open++
      try {
        for (let number = 0; ; number++) {
          read++
          yield okRecord(`${key}${number}`)
        }
      } finally {
        open--
      }
    }
    for await (const _ of mergeRecords(['a', 'b', 'c'].map(source), newerOf)) break
    expect(open).toBe(0)
    expect(read).toBeLessThanOrEqual(6)
  })
})
