import fc from 'fast-check'
import classes from '../../models/efficientnet-lite0/labels.json'
import { kindNames, kindOf } from '../../src/labels/kinds'
import synsets from '../../src/labels/synsets.json'

/** Indexes of the classes below a hypernym, as ranges. */
function positions(wanted: string): string {
  const isKind = kindOf(wanted)
  const found = classes.flatMap(({ wordnetId }, at) => (isKind(wordnetId) ? at : []))
  const starts = found.filter((at) => !found.includes(at - 1))
  const ends = found.filter((at) => !found.includes(at + 1))
  return starts.map((start, at) => (start === ends[at] ? start : `${start}-${ends[at]}`)).join(' ')
}

describe('hypernyms', () => {
  // ImageNet orders its animal classes like WordNet's tree, so their ranges are well known.
  it.each([
    ['dog', '151-268'],
    ['domestic cat', '281-285'],
    ['bird', '7-24 80-100 127-146'],
    ['fish', '0-6 389-397'],
    ['animal', '0-397'],
  ])('named %s are the classes %s', (name, expected) => {
    expect(positions(name)).toBe(expected)
  })

  it('are found by a full name, case-insensitive, or by an id', () => {
    expect(positions('Canis familiaris')).toBe('151-268')
    expect(positions('DOG')).toBe('151-268')
    expect(positions('n02084071')).toBe('151-268')
    expect(positions('N02084071')).toBe('151-268')
    expect(positions('do')).toBe('')
  })

  it('are found through every parent', () => {
    const isTabbyA = (name: string) => kindOf(name)('n02123045')
    expect(['cat', 'feline', 'domestic animal', 'entity'].map(isTabbyA)).toEqual([true, true, true, true])
    expect(['wildcat', 'dog', 'vehicle'].map(isTabbyA)).toEqual([false, false, false])
  })

  it('include a class for its own id, and an unknown id', () => {
    for (const [at, { wordnetId }] of classes.entries()) expect(positions(wordnetId)).toBe(String(at))
    expect(kindOf('n99999999')('n99999999')).toBe(true)
    for (const odd of ['', '__proto__', 'constructor']) expect(kindOf('dog')(odd)).toBe(false)
  })

  it('have names, each once, without the most general', () => {
    expect(kindNames('n02123045')).toEqual([
      'domestic cat',
      'cat',
      'domestic animal',
      'feline',
      'animal',
      'carnivore',
      'organism',
      'placental',
      'living thing',
      'mammal',
      'vertebrate',
      'chordate',
    ])
    for (const { wordnetId } of classes)
      for (const name of kindNames(wordnetId)) expect([name, kindOf(name)(wordnetId)]).toEqual([name, true])
    for (const odd of ['', '__proto__', 'n99999999']) expect(kindNames(odd)).toEqual([])
  })

  it('are included in those above', () => {
    const ids = Object.keys(synsets.parents) as (keyof typeof synsets.parents)[]
    fc.assert(
      fc.property(fc.constantFrom(...ids), (id) => {
        const kinds = classes.filter(({ wordnetId }) => kindOf(id)(wordnetId))
        expect(kinds).not.toEqual([])
        for (const parent of synsets.parents[id].split(' ').filter(Boolean))
          expect(kinds.every(({ wordnetId }) => kindOf(parent)(wordnetId))).toBe(true)
      }),
    )
  })
})
