import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { loadLayersModel } from '@tensorflow/tfjs-layers'
import { decodeImage } from '../../src/classifier/decode'
import { findEngine } from '../../src/classifier/engines'
import { engineNames } from '../../src/classifier/engines/names'
import { preprocessor } from '../../src/classifier/preprocess'
import { mobilenets } from '../../src/models/catalogue/mobilenet'
import { compileFolder } from '../../src/models/compile'
import { writeDescription } from '../../src/models/describe'
import { type Bundle, bundle } from '../helpers/bundle'
import { sample, sampleNames } from '../helpers/images'
import { needs } from '../helpers/needs'

/*
 * Google's MobileNet layers model on every engine, compared with TensorFlow.js' own layers. Needs its weights, which
 * are not in the repository.
 */

const root = join(__dirname, '..', '..')
const weights = join(root, '..', 'shared', 'models', 'mobilenet_v1_0.25_224')

const largest = (values: number[]): number => values.indexOf(Math.max(...values))

needs(!existsSync(weights) && `${weights} is not there`).describe('MobileNet of layers', () => {
  const folder = mkdtempSync(join(tmpdir(), 'whisklens-mobilenet-'))
  const input = { size: 224, kernel: 'linear', mean: 127.5, std: 127.5 } as const
  const expected: number[][] = []
  let child: Bundle

  beforeAll(async () => {
    const entry = mobilenets.find(({ id }) => id === 'mobilenet-v1-0.25-layers')
    const missing = async () => Promise.reject(new Error('Nothing is to be fetched'))
    const description = await entry?.write(folder, { from: weights, npmPackage: missing, download: missing })
    if (!description) throw new Error('There is no such entry')
    await compileFolder(folder, description)
    await writeDescription(folder, description)
    child = await bundle('test/helpers/engine-child.ts')

    await findEngine('cpu').start?.()
    const { modelTopology, weightsManifest } = JSON.parse(readFileSync(join(weights, 'model.json'), 'utf8'))
    type Group = { paths: string[]; weights: tf.io.WeightsManifestEntry[] }
    const groups = weightsManifest as Group[]
    const shards = groups.flatMap(({ paths }) => paths).map((path) => readFileSync(join(weights, path)))
    const weightSpecs = groups.flatMap((group) => group.weights)
    const weightData = Uint8Array.from(Buffer.concat(shards)).buffer
    const model = await loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData }))
    for (const name of sampleNames) {
      const pixels = preprocessor(input)(await decodeImage(sample(name), input))
      const output = model.predict(tf.tensor4d(pixels, [1, 224, 224, 3])) as tf.Tensor
      expected.push(Array.from(await output.data()))
    }
  }, 300_000)
  afterAll(() => {
    child?.remove()
    rmSync(folder, { recursive: true })
  })

  describe.each(engineNames)('on the engine %s', (engine) => {
    needs(findEngine(engine).missing()).it('sees what its layers see', async () => {
      const modules = join(root, 'node_modules')
      const env = { NODE_PATH: [process.env.NODE_PATH, modules].filter(Boolean).join(delimiter) }
      const { stdout, stderr } = await child.run([engine, folder], env)
      expect(stderr).toBe('')
      const { values } = JSON.parse(stdout) as { values: number[][] }
      for (const [index, sampleValues] of values.entries()) {
        const others = expected[index] ?? []
        expect(largest(sampleValues)).toBe(largest(others))
        const furthest = Math.max(
          ...sampleValues.map((value, at) => Math.abs(value - (others[at] ?? Number.NaN))),
        )
        expect(furthest).toBeLessThan(1e-3)
      }
      expect(values).toHaveLength(sampleNames.length)
    })
  })
})
