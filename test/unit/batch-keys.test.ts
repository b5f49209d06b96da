import fc from 'fast-check'
import { compareKeys, inOrder } from '../../src/batch/records/keys'
import { anyKey, anyKeys, collect, from, inBytes, objectInfo } from './batch-fixtures'

describe('the order of keys', () => {
  it('is that of their UTF-8 bytes', () => {
    fc.assert(
      fc.property(anyKey, anyKey, (a, b) => {
        expect(Math.sign(compareKeys(a, b))).toBe(Math.sign(inBytes(a, b)))
      }),
    )
  })

  it('puts emoji after the basic plane, as stores do', () => {
    expect(['😀', '～'].sort(compareKeys)).toEqual(['～', '😀'])
    expect(['😀', '～'].sort()).toEqual(['😀', '～'])
  })

  it('puts a prefix before its extensions', () => {
    expect(compareKeys('photos', 'photos/')).toBe(-1)
    expect(compareKeys('photos/a', 'photos/a')).toBe(0)
  })
})

describe('a listing', () => {
  it('passes through unchanged when ordered', async () => {
    await fc.assert(
      fc.asyncProperty(anyKeys(20), async (keys) => {
        const objects = keys.sort(inBytes).map((key) => objectInfo(key))
        expect(await collect(inOrder(from(objects)))).toEqual(objects)
      }),
    )
  })

  it('is refused when unordered, because the merge would silently skip images', async () => {
    const unordered = from(['b.jpg', 'a.jpg'].map((key) => objectInfo(key)))
    await expect(collect(inOrder(unordered))).rejects.toMatchObject({
      code: 'listing_unordered',
      message: 'The store listed "a.jpg" after "b.jpg"',
    })
  })

  it('is refused in UTF-16 order', async () => {
    const unordered = from(['😀.jpg', '～.jpg'].map((key) => objectInfo(key)))
    await expect(collect(inOrder(unordered))).rejects.toMatchObject({ code: 'listing_unordered' })
  })

  it('is refused when it repeats an object, because an image would get two positions', async () => {
    const repeating = from(['a.jpg', 'a.jpg'].map((key) => objectInfo(key)))
    await expect(collect(inOrder(repeating))).rejects.toMatchObject({ code: 'listing_unordered' })
  })

  it('is refused when it starts before the requested key', async () => {
    const early = from(['a.jpg', 'b.jpg'].map((key) => objectInfo(key)))
    await expect(collect(inOrder(early, 'a.jpg'))).rejects.toMatchObject({ code: 'listing_unordered' })
  })
})
