import { delimiter, join } from 'node:path'
import { findEngine } from '../../src/classifier/engines'
import { engineNames } from '../../src/classifier/engines/names'
import { type Bundle, bundle } from '../helpers/bundle'
import { compiled } from '../helpers/compiled'
import { sampleLabels, sampleNames } from '../helpers/images'
import { needs } from '../helpers/needs'
import { removeSmallLayers, smallLayers, writeLayers } from '../helpers/small-layers'
import { removeSmallNetworks, smallNetworks, unfitFor } from '../helpers/small-networks'

/*
 * Requirements on every engine. The reference is TensorFlow.js on WebAssembly, which is always available. Each engine
 * runs in its own process, as in an action.
 */

const reference = 'wasm'
const defaultModel = 'efficientnet-lite0'

interface Answer {
  engine: string
  /** Value of each class, per sample. */
  values: number[][]
}

let child: Bundle
let classifyMany: Bundle
let expected: Answer[]
const networks: Record<string, string> = {
  ...Object.fromEntries(Object.entries(smallNetworks).map(([name, write]) => [name, write()])),
  ...Object.fromEntries(
    Object.entries(smallLayers).map(([name, build]) => [`layers: ${name}`, writeLayers(build())]),
  ),
}
const samples = sampleNames.map((name) => join(__dirname, '..', '..', 'samples', `${name}.jpg`))
const models = [defaultModel, ...Object.values(networks)]

/** Module resolution as in this process. */
const env = {
  NODE_PATH: [process.env.NODE_PATH, join(__dirname, '..', '..', 'node_modules')]
    .filter(Boolean)
    .join(delimiter),
}

async function answersOf(engine: string): Promise<Answer[]> {
  const { exitCode, stdout, stderr } = await child.run([engine, ...models], env)
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

const largest = (values: number[]): number => values.indexOf(Math.max(...values))
const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
const furthest = (a: number[], b: number[]): number =>
  Math.max(...a.map((value, index) => Math.abs(value - (b[index] ?? Number.NaN))))

beforeAll(async () => {
  child = await bundle('test/helpers/engine-child.ts')
  classifyMany = await bundle('test/helpers/classify-many-child.ts')
  for (const folder of Object.values(networks)) await compiled(folder)
  expected = await answersOf(reference)
})
afterAll(() => {
  child.remove()
  classifyMany.remove()
  removeSmallNetworks()
  removeSmallLayers()
})

describe.each(engineNames)('the engine %s', (engine) => {
  needs(findEngine(engine).missing()).describe('keeps its promises', () => {
    let answers: Answer[]
    beforeAll(async () => {
      answers = engine === reference ? expected : await answersOf(engine)
    }, 300_000)

    it('reports its name', () => {
      expect(new Set(answers.map(({ engine }) => engine))).toEqual(new Set([engine]))
    })

    it.each(sampleNames.map((name, index) => [name, index]))(
      'agrees with the other engines on %s',
      (name, index) => {
        const [values = [], others = []] = [answers[0]?.values[index], expected[0]?.values[index]]
        expect(values).toHaveLength(1000)
        expect(largest(values)).toBe(largest(others))
        expect(furthest(values, others)).toBeLessThan(1e-3)
        expect(Math.abs(Math.max(...values) * 100 - (sampleLabels(name)[0]?.[1] ?? 0))).toBeLessThan(3)
      },
    )

    it.each(Object.keys(networks).map((name, index) => [name, index]))('is correct: %s', (_, index) => {
      const [values, others] = [answers[index + 1]?.values.flat(), expected[index + 1]?.values.flat()]
      // A network with constant output would pass any comparison.
      expect(new Set(others).size).toBeGreaterThan(sampleNames.length)
      expect(furthest(values ?? [], others ?? [])).toBeLessThan(1e-3)
    })

    it('does not leak memory over many images', async () => {
      const images = engine === 'cpu' ? '3' : '240'
      const { stdout } = await classifyMany.run([images, ...samples], { ...env, WHISKLENS_ENGINE: engine })
      const { held, resident } = JSON.parse(stdout) as { held: { numTensors?: number }[]; resident: number[] }
      expect(new Set(held.map(({ numTensors }) => numTensors)).size).toBe(1)
      // Leaked inputs alone would be 72 MB after 120 images.
      if (engine !== 'cpu')
        expect(mean(resident.slice(-40)) - mean(resident.slice(80, 120))).toBeLessThan(30e6)
    }, 300_000)

    it.each(unfitFor(engine))('refuses a model with %s', async (_, unfit) => {
      const { exitCode, stderr } = await child.run([engine, await unfit.write()], env)
      expect(exitCode).toBe(1)
      expect(stderr).toContain('InvalidInputError')
      expect(stderr).toMatch(unfit.named)
    })
  })
})
