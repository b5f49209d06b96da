import { delimiter, join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { load as loadMobileNet } from '@tensorflow-models/mobilenet'
import { decodeImage } from '../../src/classifier/decode'
import { findEngine, startTensorFlow } from '../../src/classifier/engines'
import { artifactsOf } from '../../src/classifier/engines/graph'
import { engineNames } from '../../src/classifier/engines/names'
import { loadModel } from '../../src/classifier/load'
import { readModelFolder } from '../../src/model-folder/folder'
import { readGraphModel } from '../../src/model-folder/graph-model'
import { type Bundle, bundle } from '../helpers/bundle'
import { sample, sampleNames } from '../helpers/images'
import { addMobileNet, removeMobileNets } from '../helpers/mobilenet'
import { needs } from '../helpers/needs'

/* Models of the family mobilenet, compared with the npm package on the same network. */

const root = join(__dirname, '..', '..')
const input = { size: 224, kernel: 'linear' } as const
const env = { NODE_PATH: [process.env.NODE_PATH, join(root, 'node_modules')].filter(Boolean).join(delimiter) }

let folder: string
let child: Bundle
/** The package's predictions of all classes per sample, most probable first. */
const expected: { className: string; probability: number }[][] = []

beforeAll(async () => {
  folder = await addMobileNet()
  child = await bundle('test/helpers/engine-child.ts')
  await startTensorFlow('cpu')
  const { files } = await readModelFolder(folder)
  const modelUrl = tf.io.fromMemory(artifactsOf(readGraphModel(files, folder)))
  const network = await loadMobileNet({ version: 1, alpha: 0.25, modelUrl, inputRange: [-1, 1] })
  for (const name of sampleNames) {
    const { pixels } = await decodeImage(sample(name), input)
    const image = tf.tensor3d(pixels, [224, 224, 3], 'int32')
    expected.push(await network.classify(image, 1000))
    image.dispose()
  }
}, 300_000)
afterAll(() => {
  child.remove()
  removeMobileNets()
})

it('is compiled with the ending that the package expects', async () => {
  const { description, classes, files } = await readModelFolder(folder)
  expect(description).toMatchObject({ family: 'mobilenet', logits: true, skip: 1 })
  expect([...files.keys()]).toEqual(expect.arrayContaining(['model.json', 'model.onnx', 'saved_model.pb']))
  // Spelled as in the seed and the package.
  expect(classes[388]).toEqual({
    wordnetId: 'n02510455',
    className: 'giant panda, panda, panda bear, coon bear, Ailuropoda melanoleuca',
  })
  const names = new Set(expected[0]?.map(({ className }) => className))
  expect(classes.filter(({ className }) => !names.has(className))).toEqual([])
})

describe.each(engineNames)('on the engine %s', (engine) => {
  needs(findEngine(engine).missing()).it('says what the package says', async () => {
    const { exitCode, stdout, stderr } = await child.run([engine, folder], env)
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    const { classes } = await readModelFolder(folder)
    const { values } = JSON.parse(stdout) as { values: number[][] }
    expect(values).toHaveLength(expected.length)
    for (const [index, sampleValues] of values.entries()) {
      const best = sampleValues.indexOf(Math.max(...sampleValues))
      expect(classes[best]?.className).toBe(expected[index]?.[0]?.className)
      const sorted = [...sampleValues].sort((a, b) => b - a)
      const others = expected[index]?.map(({ probability }) => probability) ?? []
      expect(Math.max(...sorted.map((value, at) => Math.abs(value - (others[at] ?? 1))))).toBeLessThan(1e-3)
    }
  })
})

it('leaks no tensors', async () => {
  const before = tf.memory().numTensors
  const { task } = await loadModel(folder, 'cpu')
  const loaded = tf.memory().numTensors
  expect(loaded).toBeGreaterThan(before)
  const image = await decodeImage(sample('coffee'), input)
  const { labels } = await task.predict(image, 2)
  expect(labels.map(({ className }) => className)).toEqual(
    expected[sampleNames.indexOf('coffee')]?.slice(0, 2).map(({ className }) => className),
  )
  expect(tf.memory().numTensors).toBe(loaded)
})

it('requires the package on TensorFlow.js', async () => {
  const { exitCode, stderr } = await child.run(['cpu', folder], { NODE_PATH: '', WHISKLENS_HOME: folder })
  expect(exitCode).toBe(1)
  expect(stderr).toContain('npm install @tensorflow-models/mobilenet@2.1.1')
})
