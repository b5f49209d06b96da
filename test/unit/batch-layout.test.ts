import { createHash } from 'node:crypto'
import fc from 'fast-check'
import {
  chunkKey,
  position as digits,
  documentKey,
  parseChunkKey,
  parsePartKey,
  partKey,
  partsPrefix,
  recordKey,
  recordsPrefix,
  resultsKey,
  summaryKey,
} from '../../src/batch/state/layout'
import { anyKey, inBytes } from './batch-fixtures'

const position = fc.integer({ min: 0, max: 9_999_999_998 })
const range = fc
  .tuple(position, fc.integer({ min: 1, max: 1000 }))
  .map(([start, length]) => ({ start, end: Math.min(start + length, 9_999_999_999) }))
const activationId = fc.stringMatching(/^[0-9a-f]{32}$/)

describe('the layout of the results bucket', () => {
  it('keeps its documented names', () => {
    expect(recordKey('m@1', { bucket: 'photos', key: 'x/😀 a.jpg' })).toBe('images/m@1/photos/x/😀 a.jpg')
    expect(documentKey('b1')).toBe('batches/b1/batch.json')
    expect(summaryKey('b1')).toBe('batches/b1/summary.json')
    const chunk = { start: 50, end: 100, epoch: 3 }
    expect(chunkKey('b1', chunk)).toBe('batches/b1/chunks/0000000050-0000000100-3.jsonl')
    expect(parseChunkKey(chunkKey('b1', chunk))).toEqual(chunk)
    expect(partKey('b1', { start: 50, end: 100, errors: 2 }, 'a1')).toBe(
      'batches/b1/parts/0000000050-0000000100-2-a1.jsonl',
    )
    expect(resultsKey('b1', 'results.csv')).toBe('batches/b1/results.csv')
  })

  it('states the content of a part in its name', () => {
    fc.assert(
      fc.property(range, fc.nat(1000), activationId, ({ start, end }, errors, id) => {
        const key = partKey('b1', { start, end, errors }, id)
        expect(parsePartKey(key)).toEqual({ key, start, end, errors })
      }),
    )
  })

  it('does not mistake other objects for parts', () => {
    for (const key of [
      'batches/uploads-2026-11-22/parts/2026-11-22T08-00-00-000Z-a1.jsonl',
      'batches/b1/chunks/0000000050-0000000100.jsonl',
      'batches/b1/parts/0000000050-0000000100-2-a1.jsonl.tmp',
      'batches/b1/parts/50-100-2-a1.jsonl',
    ]) {
      expect(parsePartKey(key)).toBeUndefined()
    }
  })

  it('lists parts in the order of their positions', () => {
    fc.assert(
      fc.property(range, range, activationId, (a, b, id) => {
        const [first, second] = [a, b].map((part) => partKey('b1', { ...part, errors: 0 }, id))
        const byPosition = a.start - b.start || a.end - b.end
        expect(Math.sign(inBytes(String(first), String(second)))).toBe(Math.sign(byPosition))
      }),
    )
  })

  it('finds all parts from a position by starting after one key', () => {
    fc.assert(
      fc.property(range, position, activationId, (part, start, id) => {
        const key = partKey('b1', { ...part, errors: 0 }, id)
        expect(inBytes(key, partsPrefix('b1') + digits(start)) > 0).toBe(part.start >= start)
        expect(key.startsWith(partsPrefix('b1'))).toBe(true)
      }),
    )
  })

  it('keeps the records of a bucket in the order of its images', () => {
    fc.assert(
      fc.property(anyKey, anyKey, (a, b) => {
        const key = (image: string) => recordKey('m@1', { bucket: 'photos', key: image })
        expect(Math.sign(inBytes(key(a), key(b)))).toBe(Math.sign(inBytes(a, b)))
      }),
    )
  })

  it('hashes a record’s key only if it would exceed 1,024 bytes', () => {
    const prefix = recordsPrefix('m@1', 'photos')
    const longest = 'é'.repeat((1024 - prefix.length) / 2)
    expect(Buffer.byteLength(prefix + longest)).toBe(1024)
    expect(recordKey('m@1', { bucket: 'photos', key: longest })).toBe(prefix + longest)
    const longer = `${longest}a`
    expect(recordKey('m@1', { bucket: 'photos', key: longer })).toBe(
      `long/m@1/photos/${createHash('sha256').update(longer).digest('hex')}`,
    )
  })

  it('gives images different records, long keys included', () => {
    fc.assert(
      fc.property(anyKey, anyKey, fc.boolean(), (a, b, long) => {
        const key = (image: string) =>
          recordKey('m@1', { bucket: 'photos', key: (long ? 'x'.repeat(1000) : '') + image })
        expect(key(a) === key(b)).toBe(a === b)
        expect(Buffer.byteLength(key(a))).toBeLessThanOrEqual(1024)
      }),
    )
  })
})
