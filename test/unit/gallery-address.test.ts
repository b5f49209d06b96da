import fc from 'fast-check'
import { ownerOf, parseAddress, printAddress, type View } from '../../src/web/gallery/data/address'
import { noFilters, sorts } from '../../src/web/gallery/data/gallery'

const page = 'http://127.0.0.1:3233/api/v1/web/guest/whisklens/results?token=t0k%2Ben#owner=s3cret'

const text = fc.string({ unit: 'grapheme' })
const name = text.filter((value) => value !== '')
const share = fc.integer({ min: 0, max: 1000 }).map((thousandths) => thousandths / 1000)
const date = fc.constantFrom('', '2026', '2026-05', '2026-05-31', '2026-05-31T18:00')
const view: fc.Arbitrary<View> = fc.record({
  batch: fc.option(name, { nil: undefined }),
  photo: fc.option(name, { nil: undefined }),
  filters: fc.record({
    labels: fc.uniqueArray(name, { maxLength: 4 }),
    confidence: fc.tuple(share, share).map(([a, b]): [number, number] => [Math.min(a, b), Math.max(a, b)]),
    status: fc.constantFrom('' as const, 'ok' as const, 'error' as const),
    code: text,
    search: text,
    takenSince: date,
    takenUntil: date,
    camera: text,
    sort: fc.constantFrom(...sorts),
  }),
})

describe('the gallery’s address', () => {
  it('stores the view, whatever it was before', () => {
    fc.assert(
      fc.property(view, view, (before, after) => {
        const address = printAddress(printAddress(page, before), after)
        expect(parseAddress(address)).toEqual(after)
      }),
    )
  })

  it('keeps the token and the fragment with the owner’s secret', () => {
    fc.assert(
      fc.property(view, (shown) => {
        const address = printAddress(page, shown)
        expect(new URL(address).searchParams.get('token')).toBe('t0k+en')
        expect(ownerOf(address)).toBe('s3cret')
      }),
    )
  })

  it('has no parameters in the initial view', () => {
    expect(printAddress(page, parseAddress(page))).toBe(page)
  })

  it.each([
    'min=2',
    'max=-1',
    'min=0.9&max=0.1',
    'min=abc',
    'status=lost',
    'sort=size',
    'takenSince=May',
    'label=',
  ])('ignores unknown parameters: %s', (query) => {
    expect(parseAddress(`http://localhost/results?${query}`).filters).toEqual(noFilters)
  })
})
