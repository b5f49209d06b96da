import fc from 'fast-check'
import {
  byteScaleOf,
  type FloatLayer,
  type LayerInput,
  quantiseLayer,
  roundKeepingSum,
} from '../../scripts/convert-efficientnet-lite/int8/quantise'

const bounded = (max: number) => fc.double({ min: -max, max, noNaN: true })
const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0)

describe('byteScaleOf', () => {
  it('represents every value of the range to half a step, and zero exactly', () => {
    fc.assert(
      fc.property(bounded(1e4), bounded(1e4), fc.double({ min: 0, max: 1, noNaN: true }), (a, b, share) => {
        const [min, max] = [Math.min(a, b), Math.max(a, b)]
        const { scale, zeroPoint } = byteScaleOf([min, max])
        const [lowest, highest] = [0, 255].map((byte) => (byte - zeroPoint) * scale) as [number, number]
        const value = min + share * (max - min)
        expect(Math.fround(scale)).toBe(scale)
        expect(Number.isInteger(zeroPoint) && zeroPoint >= 0 && zeroPoint <= 255).toBe(true)
        // Half a step for rounding the zero point, plus a margin for rounding the scale.
        expect(lowest - value).toBeLessThanOrEqual(scale * 0.5001)
        expect(value - highest).toBeLessThanOrEqual(scale * 0.5001)
      }),
    )
  })

  it.each([
    [[0, 6], 6 / 255, 0],
    [[0, 0], 2 ** -100, 0],
    [[-1, 0], 1 / 255, 255],
    [[2, 4], 4 / 255, 0],
  ] as const)('of %p', (range, scale, zeroPoint) => {
    expect(byteScaleOf([...range])).toEqual({ scale: Math.fround(scale), zeroPoint })
  })

  it('refuses a range that is not finite', () => {
    expect(() => byteScaleOf([0, Number.POSITIVE_INFINITY])).toThrow(
      'Expected a finite range, got 0 to Infinity',
    )
    expect(() => byteScaleOf([Number.NaN, 1])).toThrow('Expected a finite range')
  })
})

describe('roundKeepingSum', () => {
  it('moves no value by a step or more, and the sum by at most half a step', () => {
    fc.assert(
      fc.property(fc.array(bounded(126), { minLength: 1, maxLength: 25 }), (values) => {
        const rounded = roundKeepingSum(Float64Array.from(values))
        expect(rounded.every(Number.isInteger)).toBe(true)
        for (const [index, value] of values.entries())
          expect(Math.abs(value - (rounded[index] ?? 0))).toBeLessThan(1)
        expect(Math.abs(sum(values) - sum(rounded))).toBeLessThanOrEqual(0.5 + 1e-9)
      }),
    )
  })
})

/** Layers of every kind: depthwise, 1×1, and larger kernels. */
const layers = fc
  .record({
    channels: fc.integer({ min: 1, max: 6 }),
    inputs: fc.integer({ min: 2, max: 5 }),
    area: fc.constantFrom(1, 4, 9),
    isDepthwise: fc.boolean(),
    scale: fc.double({ min: 1e-3, max: 1, noNaN: true }),
  })
  .chain(({ channels, inputs, area, isDepthwise, scale }) => {
    const [depth, groups] = isDepthwise ? [1, channels] : [inputs, 1]
    const of = (length: number, max: number) =>
      fc.array(bounded(max), { minLength: length, maxLength: length })
    return fc.record({
      weights: of(channels * depth * area, 10),
      bias: of(channels, 100),
      means: of(depth * groups, 6),
      ...{ area: fc.constant(area), scale: fc.constant(scale), groups: fc.constant(groups) },
    })
  })
  .map(({ weights, bias, means, area, scale, groups }) => ({
    layer: { weights: Float64Array.from(weights), bias: Float64Array.from(bias) } satisfies FloatLayer,
    input: { scale, means, groups } satisfies LayerInput,
    area,
  }))

/** Mean output of a channel. */
const meanOf = (weights: number[], bias: number, means: readonly number[], area: number): number =>
  sum(weights.map((weight, index) => weight * (means[Math.floor(index / area)] ?? 0))) + bias

describe('quantiseLayer', () => {
  it('moves no weight by a step or more, and no channel mean by more than half a step of its bias', () => {
    fc.assert(
      fc.property(layers, ({ layer, input, area }) => {
        const { weights, scales, bias, biasScales } = quantiseLayer(layer, input)
        const rowLength = weights.length / bias.length
        bias.forEach((steps, channel) => {
          const [scale = 0, biasScale = 0] = [scales[channel], biasScales[channel]]
          const row = [...layer.weights.subarray(channel * rowLength, (channel + 1) * rowLength)]
          const quantised = [...weights.subarray(channel * rowLength, (channel + 1) * rowLength)]
          for (const [index, weight] of row.entries())
            expect(Math.abs(weight - (quantised[index] ?? 0) * scale)).toBeLessThan(scale)
          const means = input.groups > 1 ? input.means.slice(channel, channel + 1) : input.means
          const before = meanOf(row, layer.bias[channel] ?? 0, means, area)
          const after = meanOf(
            quantised.map((weight) => weight * scale),
            steps * biasScale,
            means,
            area,
          )
          expect(Math.abs(before - after)).toBeLessThanOrEqual(biasScale * 0.501 + 1e-9)
        })
      }),
    )
  })

  it('keeps products of neighbours within 16 bits, in either axis order', () => {
    fc.assert(
      fc.property(layers, ({ layer, input, area }) => {
        const { weights } = quantiseLayer(layer, input)
        expect(Math.max(...weights.map(Math.abs))).toBeLessThanOrEqual(127)
        if (input.groups > 1) return
        const rowLength = weights.length / layer.bias.length
        for (let start = 0; start < weights.length; start += rowLength) {
          const row = [...weights.subarray(start, start + rowLength)]
          const depth = rowLength / area
          const channelsLast = row.map((_, at) => row[(at % depth) * area + Math.floor(at / depth)] ?? 0)
          for (const order of [row, channelsLast])
            for (let at = 1; at < rowLength; at += 2)
              expect(255 * Math.abs((order[at] ?? 0) + (order[at - 1] ?? 0))).toBeLessThanOrEqual(32_767)
        }
      }),
    )
  })

  it('uses all steps for a single weight', () => {
    const layer = { weights: Float64Array.of(0.5, 0, -0.25, 0), bias: Float64Array.of(0) }
    const { weights, scales } = quantiseLayer(layer, { scale: 1, means: [0, 0, 0, 0], groups: 1 })
    expect([...weights]).toEqual([126, 0, -63, 0])
    expect([...scales]).toEqual([Math.fround(0.5 / 126)])
  })

  it('corrects the bias for rounding: a weight of −0.4 steps, lost, of an input that is 10 on average', () => {
    const layer = { weights: Float64Array.of(126, -0.4), bias: Float64Array.of(3) }
    const { weights, bias } = quantiseLayer(layer, { scale: 0.01, means: [1, 10], groups: 1 })
    expect([...weights]).toEqual([126, 0])
    expect([...bias]).toEqual([(3 - 0.4 * 10) / 0.01])
  })

  it('coarsens a channel that is nearly all bias, so that the bias fits', () => {
    const layer = { weights: Float64Array.of(1e-12), bias: Float64Array.of(5) }
    const { bias, biasScales } = quantiseLayer(layer, { scale: 0.1, means: [0], groups: 1 })
    expect((bias[0] ?? 0) * (biasScales[0] ?? 0)).toBeCloseTo(5, 6)
  })

  it('refuses means of another layer, and weights that are not finite', () => {
    const layer = { weights: Float64Array.of(1, 2, 3, 4), bias: Float64Array.of(0, 0) }
    expect(() => quantiseLayer(layer, { scale: 1, means: [1, 2, 3], groups: 1 })).toThrow('Expected means')
    const infinite = { weights: Float64Array.of(Number.POSITIVE_INFINITY), bias: Float64Array.of(0) }
    expect(() => quantiseLayer(infinite, { scale: 1, means: [1], groups: 1 })).toThrow('finite')
  })
})
