import fc from 'fast-check'
import { differences, filtersOf, isUnfiltered, selects } from '../../src/batch/state/filters'
import { batchRequestSchema } from '../../src/schema'
import { anyKey, objectInfo } from './batch-fixtures'

describe('the selection of a batch', () => {
  const selected = (asked: Parameters<typeof selects>[0], keys: string[]): string[] =>
    keys.filter((key) => selects(asked)(objectInfo(key)))

  it('is everything by default', () => {
    fc.assert(fc.property(anyKey, (key) => selects({})(objectInfo(key))))
  })

  it('excludes folder markers created by consoles', () => {
    expect(selects({})(objectInfo('photos/', { size: 0 }))).toBe(false)
  })

  it('includes any object with content, whatever its name', () => {
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

  it('excludes by a glob, which takes precedence over include', () => {
    const asked = { include: '*.jpg', exclude: 'private/**' }
    expect(selected(asked, ['a.jpg', 'private/a.jpg', 'x/a.jpg', 'a.png'])).toEqual(['a.jpg', 'x/a.jpg'])
  })

  it('treats an empty glob as none, as sent by forms', () => {
    expect(selected({ include: '', exclude: '' }, ['a.jpg'])).toEqual(['a.jpg'])
  })

  it('matches file extensions of formats, ignoring case', () => {
    const keys = ['a.jpg', 'b.JPEG', 'c.jfif', 'd.png', 'e.tiff', 'jpg', 'x.jpg/f', 'g.jpg.txt']
    expect(selected(batchRequestSchema.parse({ format: 'JPEG,tiff' }), keys)).toEqual([
      'a.jpg',
      'b.JPEG',
      'c.jfif',
      'e.tiff',
    ])
    expect(selected(batchRequestSchema.parse({ format: '' }), keys)).toEqual(keys)
    expect(batchRequestSchema.safeParse({ format: 'jpeg,doc' }).error?.issues[0]?.message).toMatch(
      /^expected one or/,
    )
  })

  it('includes objects changed at the given time', () => {
    const since = new Date('2026-11-22T07:00:00Z')
    const at = (lastModified: string) => selects({ since })(objectInfo('a.jpg', { lastModified }))
    expect(at('2026-11-22T06:59:59.000Z')).toBe(false)
    expect(at('2026-11-22T07:00:00.000Z')).toBe(true)
    expect(at('2026-11-23T00:00:00.000Z')).toBe(true)
  })

  it('is limited by size, both ends included', () => {
    const sized = (asked: object) =>
      [0, 9, 10, 11, 20, 21].filter((size) => selects(asked)(objectInfo('a.jpg', { size })))
    expect(sized({ minSize: 10 })).toEqual([10, 11, 20, 21])
    expect(sized({ maxSize: 10 })).toEqual([0, 9, 10])
    expect(sized({ minSize: 10, maxSize: 20 })).toEqual([10, 11, 20])
  })

  it('samples about the given share, reproducibly and within any larger sample', () => {
    const keys = Array.from({ length: 20_000 }, (_, number) => `photos/${number}.jpg`)
    const sample = (share: string) => selected({ sample: share }, keys)
    const small = sample('1%')
    expect(small.length).toBeGreaterThan(140)
    expect(small.length).toBeLessThan(260)
    expect(sample('1%')).toEqual(small)
    expect(sample('2.5%')).toEqual(expect.arrayContaining(small))
    expect(sample('100%')).toEqual(keys)
  })
})

describe('the filters of a request', () => {
  const asked = (request: object) => batchRequestSchema.parse(request)

  it('accept sizes in bytes or binary units, and percentages', () => {
    expect(asked({ minSize: 10, maxSize: '5M', sample: '0.5%' })).toMatchObject({
      minSize: 10,
      maxSize: 5 * 1024 * 1024,
      sample: '0.5%',
    })
    expect(asked({ minSize: '10k', maxSize: '1g' })).toMatchObject({ minSize: 10_240, maxSize: 2 ** 30 })
  })

  it.each([
    { minSize: '-1' },
    { minSize: '1.5k' },
    { maxSize: '5MB' },
    { maxSize: 'x' },
    { sample: '5' },
    { sample: 0.01 },
    { sample: '0%' },
    { sample: '101%' },
    { maxCost: 0 },
    { maxCost: 'x' },
  ])('are refused when they are %j', (request) => {
    expect(batchRequestSchema.safeParse(request).success).toBe(false)
  })

  it('are compared by meaning', () => {
    const one = asked({ include: '*.jpg', since: '2026-01-01', exclude: '' })
    expect(differences(one, asked({ include: '*.jpg', since: '2026-01-01T00:00:00Z' }))).toEqual([])
    expect(differences(one, asked({ include: '*.png', limit: 7 }))).toEqual(['include', 'since', 'limit'])
  })

  it('are empty for a prefix alone', () => {
    expect(isUnfiltered(asked({ prefix: 'x/', include: '', force: true }))).toBe(true)
    for (const filter of [
      { include: '*' },
      { exclude: 'x' },
      { since: 2026 },
      { limit: 1 },
      { minSize: 0 },
    ]) {
      expect(isUnfiltered(asked(filter))).toBe(false)
    }
    expect(isUnfiltered(asked({ maxSize: 1 })) || isUnfiltered(asked({ sample: '99%' }))).toBe(false)
  })

  it('replace others completely', () => {
    const replaced = { ...asked({ include: '*.jpg', limit: 7 }), ...filtersOf(asked({ sample: '1%' })) }
    expect(replaced).toMatchObject({ include: undefined, limit: undefined, sample: '1%' })
  })
})
