import fc from 'fast-check'
import picomatch from 'picomatch'
import { parseBatchRequest } from '../../src/batch/running/request'
import { globMatcher } from '../../src/glob'
import { type Bundle, bundle } from '../helpers/bundle'

const matching = (glob: string, keys: string[]): string[] => keys.filter(globMatcher(glob))

describe('a glob', () => {
  it.each([
    ['*.jpg', ['a.jpg', 'x/y/b.jpg', '.hidden.jpg', '.jpg'], ['a.JPG', 'a.jpg.png', 'a.jpg/b']],
    ['photos/*.jpg', ['photos/a.jpg'], ['photos/2026/a.jpg', 'x/photos/a.jpg']],
    ['photos/**', ['photos/a', 'photos/2026/ä 😀\n.jpg'], ['photo/a', 'x/photos/a', 'photos']],
    ['**/thumb/*', ['thumb/a', 'x/thumb/a', 'x/y/thumb/a'], ['thumb/x/a']],
    ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['ab', 'a/xb']],
    ['**', ['a', 'a/b'], []],
    ['?-??.jpg', ['a-12.jpg', '😀-ab.jpg'], ['a-1.jpg', 'a-/1.jpg']],
    ['[a-c]*', ['a', 'x/cat'], ['d', 'A']],
    ['[!a-c]/x', ['d/x'], ['a/x', '//x']],
    ['[^a-c]/x', ['d/x'], ['a/x', '//x']],
    ['[]^[a-]', [']', '^', '[', 'a', '-'], ['b']],
    ['[\\]\\-x].jpg', ['].jpg', '-.jpg', 'x.jpg'], ['\\.jpg', 'y.jpg']],
    ['*.{jpg,png}', ['a.jpg', 'x/b.png'], ['a.gif', 'a.']],
    ['{2025,2026}/{0{1,2},x*}/*', ['2025/01/a', '2026/x1/b'], ['2026/03/a', '2024/01/a', '2026/01']],
    ['a{,b}c', ['ac', 'abc'], ['a,bc']],
    ['a,b.+$^jpg', ['a,b.+$^jpg'], ['a,bx+$^jpg']],
    ['\\*\\(1\\)\\{a,b\\}', ['*(1){a,b}'], ['x(1){a,b}']],
  ])('%s matches the right keys', (glob, keys, others) => {
    expect(matching(glob, [...keys, ...others])).toEqual(keys)
  })

  it('matches like picomatch', () => {
    const piece = fc.constantFrom('a', 'b', '.', '-', '*', '?', '[ab]', '[^a]', '{a,b}', '{a,{b*,c}}', '\\*')
    const segment = fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join(''))
    const glob = fc
      .array(fc.oneof({ weight: 3, arbitrary: segment }, fc.constant('**')), { minLength: 1, maxLength: 4 })
      .map((segments) => segments.join('/').replaceAll(/\*{3,}|(?<!^|\/)\*\*|\*\*(?!\/|$)/g, '*'))
    const names = fc.array(fc.constantFrom('a', 'b', 'c', '.', '*', '-'), { minLength: 1, maxLength: 4 })
    const key = fc
      .array(
        names.map((chars) => chars.join('')),
        { minLength: 1, maxLength: 4 },
      )
      .map((segments) => segments.join('/'))
    // Stores do not have these names, and picomatch treats them as folders.
    const isUsual = (path: string) => path.split('/').every((name) => name !== '.' && name !== '..')
    fc.assert(
      fc.property(glob.filter(isUsual), key.filter(isUsual), (pattern, path) => {
        const options = { dot: true, strictSlashes: true, basename: !pattern.includes('/') }
        expect([pattern, path, globMatcher(pattern)(path)]).toEqual([
          pattern,
          path,
          picomatch(pattern, options)(path),
        ])
      }),
      { numRuns: 3000 },
    )
  })

  it.each([
    '!*.jpg',
    '!(a)',
    '@(a|b)',
    'a(1)',
    'a|b',
    'a[',
    'a]',
    '[z-a]',
    'a}',
    '{a',
    '{a}',
    '{1..3}',
    '{}',
    'a\\',
  ])('%s is refused, because other implementations read it differently', (glob) => {
    for (const asked of [{ include: glob }, { exclude: glob }]) {
      expect(() => parseBatchRequest(asked)).toThrow(
        expect.objectContaining({ code: 'bad_parameter', message: expect.stringContaining(glob) }),
      )
    }
  })

  it('is refused when it is longer than a key or has too many wildcards', () => {
    for (const glob of ['a'.repeat(1025), '*a'.repeat(51), '?'.repeat(51), '[a]'.repeat(51)])
      expect(() => parseBatchRequest({ include: glob })).toThrow(/1024 characters and 50 wildcards/)
    expect(matching('a'.repeat(1024), ['a'.repeat(1024)])).toHaveLength(1)
  })

  it('fails only with its own error, whatever it contains', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (glob, key) => {
        try {
          expect(typeof globMatcher(glob)(key)).toBe('boolean')
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'bad_parameter' })
        }
      }),
    )
  })
})

describe('matching a long key', () => {
  let child: Bundle

  beforeAll(async () => {
    child = await bundle('test/helpers/match-glob-child.ts')
  })
  afterAll(() => child.remove())

  // In a separate process that can be killed: backtracking would take years.
  it.each([
    ['few stars', '*a*a*a*a*b'],
    ['many stars', `${'*a'.repeat(49)}*b`],
    ['question marks', `*a${'?'.repeat(40)}*c`],
    ['braces', `${'{a,aa}'.repeat(150)}b`],
    ['stars in braces', `${'{*a,*aa}'.repeat(24)}b`],
    ['folders', `${'**/'.repeat(12)}*a*a*a*a*b`],
  ])('against %s ends', async (_, glob) => {
    const keys = [...'abcdefgh'].map((first) => first + 'a'.repeat(1023))
    const { stdout } = await child.run([glob, JSON.stringify(keys)])
    expect(JSON.parse(stdout)).toEqual(keys.map(() => false))
  })
})
