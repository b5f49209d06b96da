import fc from 'fast-check'
import { compareKeys, inOrder, selects } from '../../src/batch/keys'
import { anyKey, anyKeys, collect, from, inBytes, objectInfo } from './batch-fixtures'

describe('the order of keys', () => {
  it('is that of their UTF-8 bytes', () => {
    fc.assert(
      fc.property(anyKey, anyKey, (a, b) => {
        expect(Math.sign(compareKeys(a, b))).toBe(Math.sign(inBytes(a, b)))
      }),
    )
  })

  it('puts emoji after the last characters of the basic plane, as stores do', () => {
    expect(['😀', '～'].sort(compareKeys)).toEqual(['～', '😀'])
    expect(['😀', '～'].sort()).toEqual(['😀', '～'])
  })

  it('puts a prefix before what it begins', () => {
    expect(compareKeys('photos', 'photos/')).toBe(-1)
    expect(compareKeys('photos/a', 'photos/a')).toBe(0)
  })
})

describe('a listing', () => {
  it('passes through unchanged when it is in order', async () => {
    await fc.assert(
      fc.asyncProperty(anyKeys(20), async (keys) => {
        const objects = keys.sort(inBytes).map((key) => objectInfo(key))
        expect(await collect(inOrder(from(objects)))).toEqual(objects)
      }),
    )
  })

  it('is refused when it is not in order, for the merge would skip images without a word', async () => {
    const unordered = from(['b.jpg', 'a.jpg'].map((key) => objectInfo(key)))
    await expect(collect(inOrder(unordered))).rejects.toMatchObject({
      code: 'listing_unordered',
      message: 'The store listed "a.jpg" after "b.jpg"',
    })
  })

  it('is refused when it is in the order of UTF-16', async () => {
    const unordered = from(['😀.jpg', '～.jpg'].map((key) => objectInfo(key)))
    await expect(collect(inOrder(unordered))).rejects.toMatchObject({ code: 'listing_unordered' })
  })

  it('is refused when it names an object twice, for one image must not get two positions', async () => {
    const repeating = from(['a.jpg', 'a.jpg'].map((key) => objectInfo(key)))
    await expect(collect(inOrder(repeating))).rejects.toMatchObject({ code: 'listing_unordered' })
  })

  it('is refused when the store began before the key it was to start after', async () => {
    const early = from(['a.jpg', 'b.jpg'].map((key) => objectInfo(key)))
    await expect(collect(inOrder(early, 'a.jpg'))).rejects.toMatchObject({ code: 'listing_unordered' })
  })
})

describe('what a batch selects', () => {
  const selected = (asked: Parameters<typeof selects>[0], keys: string[]): string[] =>
    keys.filter((key) => selects(asked)(objectInfo(key)))

  it('is everything by default', () => {
    fc.assert(fc.property(anyKey, (key) => selects({})(objectInfo(key))))
  })

  it('leaves out the markers that consoles make for folders', () => {
    expect(selects({})(objectInfo('photos/', { size: 0 }))).toBe(false)
  })

  it('takes an object with bytes in it for an image, whatever its name', () => {
    expect(selects({})(objectInfo('photos/', { size: 1 }))).toBe(true)
    expect(selects({})(objectInfo('photos', { size: 0 }))).toBe(true)
  })

  it.each([
    ['*.jpg', ['a.jpg', 'x/y/b.jpg', '.hidden.jpg'], ['a.JPG', 'a.jpg.png', 'a.jpg/b.png']],
    ['*.{jpg,png}', ['a.jpg', 'x/b.png'], ['a.gif']],
    ['photos/*.jpg', ['photos/a.jpg'], ['photos/2026/a.jpg', 'x/photos/a.jpg']],
    ['photos/**', ['photos/a.jpg', 'photos/2026/ä 😀.jpg'], ['photo/a.jpg']],
    ['**/thumb/*', ['thumb/a', 'x/thumb/a', 'x/y/thumb/a'], ['thumb/x/a']],
    ['cat-?.jpg', ['cat-1.jpg', 'x/cat-2.jpg'], ['cat-10.jpg']],
  ])('includes by the glob %s', (include, matching, others) => {
    expect(selected({ include }, [...matching, ...others])).toEqual(matching)
  })

  it('excludes by a glob, which wins over the one that includes', () => {
    const asked = { include: '*.jpg', exclude: 'private/**' }
    expect(selected(asked, ['a.jpg', 'private/a.jpg', 'x/a.jpg', 'a.png'])).toEqual(['a.jpg', 'x/a.jpg'])
  })

  it('takes an empty glob for none, as a form sends it', () => {
    expect(selected({ include: '', exclude: '' }, ['a.jpg'])).toEqual(['a.jpg'])
  })

  it('begins with what was changed at the given time', () => {
    const since = new Date('2026-11-22T07:00:00Z')
    const at = (lastModified: string) => selects({ since })(objectInfo('a.jpg', { lastModified }))
    expect(at('2026-11-22T06:59:59.000Z')).toBe(false)
    expect(at('2026-11-22T07:00:00.000Z')).toBe(true)
    expect(at('2026-11-23T00:00:00.000Z')).toBe(true)
  })
})
