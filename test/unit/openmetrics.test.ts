import fc from 'fast-check'
import { type Family, toOpenMetrics } from '../../src/openmetrics'
import { parseOpenMetrics, readByReference, withReference } from '../helpers/openmetrics'

const labels = fc.dictionary(fc.stringMatching(/^l[a-z0-9_]{0,5}$/), fc.string({ unit: 'binary' }))
const sample = fc.record({ labels, value: fc.oneof(fc.nat(), fc.double({ min: 0, max: 1e9, noNaN: true })) })
const family: fc.Arbitrary<Family> = fc.record({
  name: fc.stringMatching(/^m[a-z0-9]{0,8}$/),
  help: fc.string(),
  type: fc.constantFrom('gauge' as const, 'counter' as const),
  samples: fc.uniqueArray(sample, { selector: (one) => JSON.stringify(Object.entries(one.labels).sort()) }),
})
const families = fc.uniqueArray(family, { selector: ({ name }) => name })

/** Normalizes families: the order of labels and the sign of zero do not matter. */
const plain = (some: Family[]) =>
  some.map(({ name, type, samples }) => ({
    name,
    type,
    samples: samples.map(({ labels = {}, value }) => ({ labels, value: value + 0 })),
  }))

describe('OpenMetrics text', () => {
  it('contains all its input, whatever labels contain', () => {
    fc.assert(
      fc.property(families, (some) => {
        const parsed = parseOpenMetrics(toOpenMetrics(some))
        expect(
          parsed.map(({ name, type, samples }) => ({
            name,
            type,
            samples: samples.map((one) => ({ labels: one.labels, value: one.value })),
          })),
        ).toEqual(plain(some))
      }),
    )
  })

  it('follows the specification', () => {
    const text = toOpenMetrics([
      { name: 'a_seconds', type: 'counter', unit: 'seconds', help: 'Say "a".\n', samples: [{ value: 1.5 }] },
      { name: 'b', type: 'gauge', help: 'B', samples: [{ labels: { of: 'x"\\\n', and: '' }, value: 0 }] },
    ])
    expect(text).toBe(
      [
        '# TYPE a_seconds counter',
        '# UNIT a_seconds seconds',
        '# HELP a_seconds Say \\"a\\".\\n',
        'a_seconds_total 1.5',
        '# TYPE b gauge',
        '# HELP b B',
        'b{of="x\\"\\\\\\n",and=""} 0',
        '# EOF',
        '',
      ].join('\n'),
    )
  })
})

describe('the parser of these tests', () => {
  it.each([
    '# TYPE a gauge\na 1\n',
    '# TYPE a gauge\nb 1\n# EOF\n',
    '# TYPE a counter\na 1\n# EOF\n',
    '# TYPE a gauge\n# UNIT a seconds\na 1\n# EOF\n',
    '# TYPE a gauge\na{b="c} 1\n# EOF\n',
    '# TYPE a gauge\na{b="1",b="2"} 1\n# EOF\n',
    '# TYPE a gauge\na{b="1"} 1\na{b="1"} 2\n# EOF\n',
    '# TYPE a gauge\na 1\n# TYPE a gauge\n# EOF\n',
    '# TYPE a summary\na{quantile="2"} 1\n# EOF\n',
    '# TYPE a stateset\na{b="c"} 1\n# EOF\n',
  ])('refuses %j', (text) => {
    expect(() => parseOpenMetrics(text)).toThrow()
  })
})

withReference.describe("Prometheus' own parser", () => {
  it('reads back the same', () => {
    const some = fc.sample(families, { numRuns: 30, seed: 17 })
    for (const one of some) {
      const text = toOpenMetrics(one)
      const read = readByReference(text)
      const ours = parseOpenMetrics(text)
      expect(read).toEqual(
        ours.map(({ name, type, unit, samples }) => [
          name,
          type,
          unit,
          samples.map((each) => [each.name, each.labels, each.value]),
        ]),
      )
    }
  })
})
