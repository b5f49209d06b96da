import { delimiter, join } from 'node:path'
import { findEngine } from '../../src/classifier/engines'
import { type Bundle, bundle } from '../helpers/bundle'
import { sampleNames } from '../helpers/images'
import { addMobileNet, removeMobileNets } from '../helpers/mobilenet'
import { needs } from '../helpers/needs'

/* Tensors and memory over many images: 10,000 in `npm run check:full`. */

const root = join(__dirname, '..', '..')
const images = process.env.WHISKLENS_FULL ? 10_000 : 200
const samples = sampleNames.map((name) => join(root, 'samples', `${name}.jpg`))
const env = { NODE_PATH: [process.env.NODE_PATH, join(root, 'node_modules')].filter(Boolean).join(delimiter) }

const timeout = 1_800_000
jest.setTimeout(timeout)

let child: Bundle
let mobilenet: string
beforeAll(async () => {
  child = await bundle('test/helpers/classify-many-child.ts')
  mobilenet = await addMobileNet()
})
afterAll(() => {
  child.remove()
  removeMobileNets()
})

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

describe.each(['wasm', 'tfjs-node'])('the engine %s', (engine) => {
  needs(findEngine(engine).missing()).describe(`over ${images} images`, () => {
    it.each([
      ['a network', () => 'efficientnet-lite0'],
      ['a model of the family mobilenet', () => mobilenet],
    ])('keeps the number of tensors and the memory constant: %s', async (_, model) => {
      const settings = { ...env, WHISKLENS_ENGINE: engine, WHISKLENS_MODEL: model() }
      const args = [String(images), ...samples]
      const { exitCode, stdout, stderr } = await child.run(args, settings, [], timeout)
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
      const { held, resident } = JSON.parse(stdout) as { held: { numTensors: number }[]; resident: number[] }
      expect(resident).toHaveLength(images)
      expect(new Set(held.map(({ numTensors }) => numTensors)).size).toBe(1)
      // One leaked input per image would be 120 MB after 200 images.
      const early = mean(resident.slice(images * 0.3, images * 0.5))
      expect(mean(resident.slice(images * 0.8)) - early).toBeLessThan(30e6)
    })
  })
})
