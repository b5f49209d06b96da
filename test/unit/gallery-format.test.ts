import { bytes, duration, percent, time } from '../../src/web/gallery/ui/format'

it.each([
  [1, '100%'],
  [0.876, '88%'],
  [0.0994, '9.9%'],
  [0.001, '0.1%'],
  [0, '0%'],
])('a share of %d is %s', (share, says) => expect(percent(share)).toBe(says))

it.each([
  [900, '1 s'],
  [59_000, '59 s'],
  [60_000, '1 min'],
  [61_000, '1 min 1 s'],
  [3_720_000, '1 h 2 min'],
  [-5, '0 s'],
])('%d milliseconds are %s', (milliseconds, says) => expect(duration(milliseconds)).toBe(says))

it.each([
  [0, '1 kB'],
  [54_321, '54 kB'],
  [12_340_000, '12.3 MB'],
])('%d bytes are %s', (size, says) => expect(bytes(size)).toBe(says))

it('keeps an invalid time unchanged', () => expect(time('yesterday')).toBe('yesterday'))
