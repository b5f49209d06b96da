import fc from 'fast-check'
import { pairWithRecords } from '../../src/batch/merge'
import type { ObjectInfo } from '../../src/storage/store'
import { anyKeys, collect, from, inBytes, objectInfo } from './batch-fixtures'

const objects = (keys: string[], etag: string): ObjectInfo[] =>
  [...keys].sort(inBytes).map((key) => objectInfo(key, { etag }))

describe('the merge of images and records', () => {
  it('pairs each image with the record of the very same key', async () => {
    await fc.assert(
      fc.asyncProperty(anyKeys(25), anyKeys(25), async (imageKeys, recordKeys) => {
        const images = objects(imageKeys, 'image')
        const records = objects(recordKeys, 'record')
        const naive = images.map((image) => {
          const record = records.find(({ key }) => key === image.key)
          return record ? { image, record } : { image }
        })
        expect(await collect(pairWithRecords(from(images), from(records)))).toEqual(naive)
      }),
      { numRuns: 500 },
    )
  })

  it('pairs keys that begin with each other, hold spaces or emoji', async () => {
    const keys = ['a', 'a b', 'a/', 'a/b', 'aa', 'é', '～', '😀', '😀/😀']
    const pairs = await collect(pairWithRecords(from(objects(keys, 'image')), from(objects(keys, 'record'))))
    expect(pairs.map(({ image, record }) => [image.key, record?.key])).toEqual(
      [...keys].sort(inBytes).map((key) => [key, key]),
    )
  })

  it('passes over records of images that are gone', async () => {
    const pairs = await collect(
      pairWithRecords(from(objects(['m'], 'image')), from(objects(['a', 'm', 'z'], 'record'))),
    )
    expect(pairs).toEqual([
      { image: objectInfo('m', { etag: 'image' }), record: objectInfo('m', { etag: 'record' }) },
    ])
  })

  it('looks at one image and one record at a time', async () => {
    let ahead = 0
    async function* endless(): AsyncGenerator<ObjectInfo> {
      for (let number = 0; ; number++) {
        ahead = number
        yield objectInfo(String(number).padStart(6, '0'))
      }
    }
    const pairs = pairWithRecords(from(objects(['000002'], 'image')), endless())
    await pairs.next()
    expect(ahead).toBe(2)
    await pairs.return(undefined)
  })

  it('ends both listings when its reader stops early', async () => {
    const ended: string[] = []
    async function* endless(name: string): AsyncGenerator<ObjectInfo> {
      try {
        for (let number = 0; ; number++) yield objectInfo(String(number).padStart(6, '0'))
      } finally {
        ended.push(name)
      }
    }
    for await (const { image } of pairWithRecords(endless('images'), endless('records'))) {
      if (image.key === '000003') break
    }
    expect(ended.sort()).toEqual(['images', 'records'])
  })
})
