import fc from 'fast-check'
import { selectionOf } from '../../src/cli/batch/selection'
import { globMatcher } from '../../src/glob'
import { anyKey } from './batch-fixtures'

/** Whether the selection of the given arguments includes a key. */
function selected(args: string[], key: string): boolean {
  const { prefix, include } = selectionOf(args)
  return prefix.some((one) => key.startsWith(one)) && (include === undefined || globMatcher(include)(key))
}

describe('arguments of whisklens batch', () => {
  it.each([
    [['photos/'], { prefix: ['photos/'], include: undefined }],
    [['photos/a*.jpg'], { prefix: ['photos/a'], include: 'photos/a*.jpg' }],
    [['*.jpg'], { prefix: [''], include: '*.jpg' }],
    [['a\\*b/'], { prefix: ['a*b/'], include: undefined }],
    [[], { prefix: [''], include: undefined }],
  ])('%j are a prefix, and a glob if there is one', (args, selection) => {
    expect(selectionOf(args)).toEqual(selection)
  })

  it('select what any of them selects', () => {
    const args = ['photos/', 'sc', '**/raw/*.png', 'x/{a,b}?.jpg', '*.gif']
    const cases: [string, boolean][] = [
      ['photos/a/b.jpg', true],
      ['photos/', true],
      ['scan.jpg', true],
      ['scans/1/2.jpg', true],
      ['deep/raw/a.png', true],
      ['deep/raw/a.jpg', false],
      ['x/a1.jpg', true],
      ['x/c1.jpg', false],
      ['deep/er/a.gif', true],
      ['photo.jpg', false],
    ]
    expect(cases.map(([key]) => [key, selected(args, key)])).toEqual(cases)
  })

  it('select by any prefix, whatever characters it has, beside a glob', () => {
    const plain = anyKey.filter((key) => !/[*?[{\\]/.test(key))
    fc.assert(
      fc.property(plain, anyKey, (prefix, rest) => {
        expect(selected([prefix, 'z*.jpg'], prefix + rest)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})
