import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import type { Calibration } from '../../scripts/convert-efficientnet-lite/int8/calibration'
import { writeInt8 } from '../../scripts/convert-efficientnet-lite/int8/write'
import { findEngine } from '../../src/classifier/engines'
import type { Network } from '../../src/network/graph'
import { decode, factsOf } from '../../src/network/onnx/read'
import { toOnnx } from '../../src/network/onnx/write'
import { sha256Of } from '../../src/sha256'
import { type Bundle, bundle } from '../helpers/bundle'
import { needs } from '../helpers/needs'
import { pattern } from '../helpers/onnx-fixtures'
import { calibrate, classes, size, smallNetwork, writeModel } from '../helpers/small-int8'

const folder = mkdtempSync(join(tmpdir(), 'whisklens-int8-'))
const image = join(folder, 'pattern.png')
let network: Network
let calibration: Calibration
let child: Bundle

beforeAll(async () => {
  const png = await pattern(size)
  writeFileSync(image, png)
  network = smallNetwork()
  calibration = await calibrate(network, await sharp(png).raw().toBuffer())
  child = await bundle('test/helpers/onnx-child.ts')
})
afterAll(() => {
  child.remove()
  rmSync(folder, { recursive: true })
})

/** Probabilities of the test pattern, or its embedding. */
async function valuesOf(what: 'classify' | 'embed', model: string): Promise<number[]> {
  const { exitCode, stdout, stderr } = await child.run([what, model, image])
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  return JSON.parse(stdout)
}

const furthest = (a: number[], b: number[]): number =>
  Math.max(...a.map((value, index) => Math.abs(value - (b[index] ?? Number.NaN))))

describe('a network in int8', () => {
  it('maps raw pixels to a probability per class', () => {
    const { inputs, outputs } = factsOf(decode(writeInt8(network, calibration)))
    expect(inputs).toEqual([{ name: 'image', type: 'UINT8', shape: ['n', size, size, 3] }])
    expect(outputs).toEqual([{ name: 'probabilities', type: 'FLOAT', shape: ['n', classes] }])
  })

  it('has scalar activation scales, which ONNX Runtime for Node requires', () => {
    const { node = [], initializer = [] } = decode(writeInt8(network, calibration)).graph ?? {}
    const lengths = new Map((initializer ?? []).map(({ name, dims }) => [name ?? '', dims ?? []]))
    const scales = (node ?? [])
      .filter(({ opType }) => opType === 'QuantizeLinear')
      .map(({ input }) => lengths.get(input?.[1] ?? ''))
    expect(scales).toEqual(Array(6).fill([]))
  })

  it('is reproducible on any machine', () => {
    // Calibration is rounded, because its last digits differ between processors.
    const rounded = Object.fromEntries(
      Object.entries(calibration).map(([name, { range, mean }]) => [
        name,
        { range: range.map(threeDigits) as [number, number], mean: mean.map(threeDigits) },
      ]),
    )
    expect(sha256Of(writeInt8(smallNetwork(), rounded))).toBe(
      'ddaeb9dd72064f7fe0d96d9cdae4d185369cfda54f614c97458853f4d0233061',
    )
  })

  it('refuses a calibration that lacks a tensor, or whose range is beyond relu6', () => {
    const { pool: _, ...without } = calibration
    expect(() => writeInt8(network, without)).toThrow('Expected pool in the calibration')
    const beyond = { ...calibration, head: { range: [0, 6.5] as [number, number], mean: [] } }
    expect(() => writeInt8(network, beyond)).toThrow('range of head within 0 and 6, got 0 to 6.5')
  })

  it('refuses an unsupported operation', () => {
    const node = network.topology.node.map((one) => (one.op === 'Mean' ? { ...one, op: 'Max' } : one))
    const changed = { ...network, topology: { ...network.topology, node } }
    expect(() => writeInt8(changed, calibration)).toThrow('Unsupported operation Max (pool)')
  })
})

needs(findEngine('onnx').missing()).describe('on ONNX Runtime', () => {
  it('predicts the same as the float32 network', async () => {
    const float = writeModel(join(folder, 'float'), toOnnx(network), 'float32')
    const int8 = writeModel(join(folder, 'int8'), writeInt8(network, calibration), 'uint8')
    const expected = await valuesOf('classify', float)
    const found = await valuesOf('classify', int8)
    expect(Math.max(...expected)).toBeLessThan(0.9)
    expect(furthest(expected, found)).toBeLessThan(0.02)
    expect(found.indexOf(Math.max(...found))).toBe(expected.indexOf(Math.max(...expected)))
  })

  it('outputs the vector before its last layer, not quantised', async () => {
    const float = writeModel(join(folder, 'base'), toOnnx(network), 'float32')
    const int8 = writeModel(join(folder, 'base-int8'), writeInt8(network, calibration), 'uint8')
    const [expected, found] = [await valuesOf('embed', float), await valuesOf('embed', int8)]
    expect(found).toHaveLength(32)
    expect(furthest(expected, found)).toBeLessThan(0.05)
    const step = Math.max(...found) / 255
    const offGrid = found.filter((value) => Math.abs(value / step - Math.round(value / step)) > 0.02)
    expect(offGrid.length).toBeGreaterThan(16)
  })
})

const threeDigits = (value: number): number => Number(value.toPrecision(3))
