import fc from 'fast-check'
import { findByKey, pairByKey } from '../../src/batch/records/ordered'
import type { ObjectInfo } from '../../src/storage/store'
import { anyKeys, collect, from, inBytes, objectInfo } from './batch-fixtures'

const objects = (keys: string[], etag: string): ObjectInfo[] =>
  [...keys].sort(inBytes).map((key) => objectInfo(key, { etag }))

describe('pairing by key', () => {
  it('returns each key of either sequence once, in order, with both items', async () => {
    await fc.assert(
      fc.asyncProperty(anyKeys(25), anyKeys(25), async (imageKeys, recordKeys) => {
        const images = objects(imageKeys, 'image')
        const records = objects(recordKeys, 'record')
        const naive = [...new Set([...imageKeys, ...recordKeys])].sort(inBytes).map((name) => {
          const image = images.find(({ key }) => key === name)
          const record = records.find(({ key }) => key === name)
          return [image, record]
        })
        expect(await collect(pairByKey(from(images), from(records)))).toEqual(naive)
      }),
      { numRuns: 500 },
    )
  })

  it('handles prefixes, spaces and emoji', async () => {
    const keys = ['a', 'a b', 'a/', 'a/b', 'aa', 'é', '～', '😀', '😀/😀']
    const pairs = await collect(pairByKey(from(objects(keys, 'image')), from(objects(keys, 'record'))))
    expect(pairs.map(([image, record]) => [image?.key, record?.key])).toEqual(
      [...keys].sort(inBytes).map((key) => [key, key]),
    )
  })

  it('returns records without images before, between and after the images', async () => {
    const pairs = await collect(
      pairByKey(from(objects(['m', 'o'], 'image')), from(objects(['a', 'm', 'n', 'z'], 'record'))),
    )
    expect(pairs.map(([image, record]) => [image?.key, record?.key])).toEqual([
      [undefined, 'a'],
      ['m', 'm'],
      [undefined, 'n'],
      ['o', undefined],
      [undefined, 'z'],
    ])
  })

  it('reads one image and one record at a time', async () => {
    let ahead = 0
    async function* endless(): AsyncGenerator<ObjectInfo> {
      for (let number = 0; ; number++) {
        ahead = number
        yield objectInfo(String(number).padStart(6, '0'))
      }
    }
    const pairs = pairByKey(from(objects(['000002'], 'image')), endless())
    for (let key = 0; key <= 2; key++) await pairs.next()
    expect(ahead).toBeLessThanOrEqual(3)
    await pairs.return(undefined)
  })

  it('ends both sequences when its reader stops early', async () => {
    const ended: string[] = []
    async function* endless(name: string): AsyncGenerator<ObjectInfo> {
      try {
        for (let number = 0; ; number++) yield objectInfo(String(number).padStart(6, '0'))
      } finally {
        ended.push(name)
      }
    }
    for await (const [image] of pairByKey(endless('images'), endless('records'))) {
      if (image?.key === '000003') break
    }
    expect(ended.sort()).toEqual(['images', 'records'])
  })
})

describe('finding by key', () => {
  it('finds keys requested in order, repeatedly', async () => {
    await fc.assert(
      fc.asyncProperty(anyKeys(20), anyKeys(20), async (there, asked) => {
        const find = findByKey(from(objects(there, 'image')))
        for (const key of [...asked, ...there].sort(inBytes)) {
          expect((await find(key))?.key).toBe(there.includes(key) ? key : undefined)
        }
      }),
      { numRuns: 300 },
    )
  })
})
