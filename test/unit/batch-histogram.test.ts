import fc from 'fast-check'
import { addTo, emptyHistogram, type Histogram, quantile } from '../../src/batch/reports/histogram'

const histogramOf = (values: number[]): Histogram => {
  const histogram = emptyHistogram()
  for (const value of values) addTo(histogram, value)
  return histogram
}

const duration = fc.oneof(
  fc.nat(5000).map((microseconds) => microseconds / 1000),
  fc.double({ min: 0, max: 600_000, noNaN: true }),
  fc.nat(600_000),
)
const durations = fc.array(duration, { minLength: 1, maxLength: 200 })
const share = fc.constantFrom(0.01, 0.25, 0.5, 0.75, 0.95, 0.99, 1)

describe('a histogram of durations', () => {
  it('gives every quantile to 5 %, and to 1 ms below that', () => {
    fc.assert(
      fc.property(durations, share, (values, part) => {
        const sorted = [...values].sort((a, b) => a - b)
        const exact = Math.max(1, sorted.find((_, index) => index + 1 >= values.length * part) ?? 0)
        const estimate = quantile(histogramOf(values), part)
        expect(estimate).toBeGreaterThanOrEqual(exact * 0.95)
        expect(estimate).toBeLessThanOrEqual(exact * (1.05 + 1e-9))
      }),
      { numRuns: 1000 },
    )
  })

  it('does not depend on the order of durations', () => {
    fc.assert(
      fc.property(durations, (values) => {
        const shuffled = [...values].sort((a, b) => (a % 7) - (b % 7))
        expect(JSON.stringify(histogramOf(shuffled))).toBe(JSON.stringify(histogramOf(values)))
      }),
    )
  })

  it('returns 0 when empty', () => {
    expect(quantile(emptyHistogram(), 0.5)).toBe(0)
  })

  it('stays small for any number of durations', () => {
    const histogram = emptyHistogram()
    for (let number = 0; number < 100_000; number++) addTo(histogram, (number * 7919) % 300_000)
    expect(Object.keys(histogram).length).toBeLessThan(270)
  })

  it('can be stored and restored', () => {
    fc.assert(
      fc.property(durations, share, (values, part) => {
        const histogram = histogramOf(values)
        expect(quantile(JSON.parse(JSON.stringify(histogram)), part)).toBe(quantile(histogram, part))
      }),
    )
  })
})
