import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { load as loadMobileNet } from '@tensorflow-models/mobilenet'
import jpeg from 'jpeg-js'
import { imageStart } from '../../bench/runtime-image'
import { findEngine, startTensorFlow } from '../../src/classifier/engines'
import { tfjsNodeFolder } from '../../src/classifier/engines/tensorflow'
import { zip } from '../contract/api-host'
import { sample } from '../helpers/images'
import { needs } from '../helpers/needs'
import { removeRuntimeImages, writeRuntimeImage } from '../helpers/runtime-image'
import { keyValues, Session } from './session'

/*
 * User-defined actions in the runtime image: which modules they can require, and that they work. On the local host, the
 * same script writes the image's content; a server needs the image, named by WHISKLENS_RUNTIME_IMAGE.
 */

const { WHISKLENS_APIHOST, WHISKLENS_RUNTIME_IMAGE } = process.env
const code = readFileSync(join(__dirname, '..', 'helpers', 'seed-action.js'), 'utf8')

/** A graph that computes 1,001 logits from an image's mean colour, in MobileNet's output format. */
function tinyNetwork() {
  const float = { T: { type: 'DT_FLOAT' } }
  const constant = (name: string, type: string) => ({ name, op: 'Const', attr: { dtype: { type } } })
  const dim = ['-1', '224', '224', '3'].map((size) => ({ size }))
  const node = [
    { name: 'image', op: 'Placeholder', attr: { dtype: { type: 'DT_FLOAT' }, shape: { shape: { dim } } } },
    constant('axes', 'DT_INT32'),
    constant('kernel', 'DT_FLOAT'),
    { name: 'colour', op: 'Mean', input: ['image', 'axes'], attr: { ...float, keep_dims: { b: false } } },
    { name: 'logits', op: 'MatMul', input: ['colour', 'kernel'], attr: float },
  ]
  const kernel = Float32Array.from({ length: 3 * 1001 }, (_, index) => Math.sin(index) * 9)
  const weights = Buffer.concat([Buffer.from(Int32Array.of(1, 2).buffer), Buffer.from(kernel.buffer)])
  return {
    modelTopology: { node, library: {}, versions: {} },
    weightSpecs: [
      { name: 'axes', shape: [2], dtype: 'int32' as const },
      { name: 'kernel', shape: [3, 1001], dtype: 'float32' as const },
    ],
    weights: weights.toString('base64'),
  }
}

const photo = sample('coffee')
const network = tinyNetwork()
let session: Session
let expected: { className: string; probability: number }[]

/** Reference predictions by the same library in this process. */
async function classifyHere() {
  await startTensorFlow('cpu')
  const weightData = Uint8Array.from(Buffer.from(network.weights, 'base64')).buffer
  const modelUrl = tf.io.fromMemory({ ...network, weightData })
  const model = await loadMobileNet({ version: 1, alpha: 0.25, modelUrl, inputRange: [-1, 1] })
  const { width, height, data } = jpeg.decode(photo, { useTArray: true })
  return model.classify(tf.slice(tf.tensor3d(data, [height, width, 4], 'int32'), [0, 0, 0], [-1, -1, 3]))
}

const hasTfjsNode = !findEngine('tfjs-node').missing()

/** Writes the image's content on this machine. @returns environment variables set by its Dockerfile */
async function writeImage(): Promise<Record<string, string>> {
  const options = hasTfjsNode
    ? ['--engine', 'tfjs-node', '--tfjs-node', tfjsNodeFolder()]
    : ['--engine', 'wasm']
  const image = await writeRuntimeImage(...options, '--models', 'efficientnet-lite0')
  const { environment } = await imageStart()
  return { ...environment, WHISKLENS_HOME: image, NODE_PATH: join(image, 'node_modules') }
}

const missing = WHISKLENS_APIHOST && !WHISKLENS_RUNTIME_IMAGE && 'WHISKLENS_RUNTIME_IMAGE names no image'
needs(missing).describe('an action of one’s own in the runtime image', () => {
  beforeAll(async () => {
    expected = await classifyHere()
    const environment = WHISKLENS_APIHOST ? {} : await writeImage()
    session = await Session.open(() => environment)
    const exec = { kind: 'blackbox', image: WHISKLENS_RUNTIME_IMAGE ?? 'whisklens-runtime' }
    const more = { limits: { memory: 512, timeout: 120_000 }, parameters: keyValues({ network }) }
    await session.put('actions/own-plain', { exec: { ...exec, code }, ...more })
    const archive = zip({ 'index.js': code })
    await session.put('actions/own-zip', { exec: { ...exec, code: archive, binary: true }, ...more })
  })
  afterAll(async () => {
    await session?.close()
    removeRuntimeImages()
  })

  const backends: [backend: string, name: string, missing: string | false][] = [
    ['@tensorflow/tfjs', 'cpu', false],
    [
      '@tensorflow/tfjs-node',
      'tensorflow',
      !WHISKLENS_APIHOST && !hasTfjsNode && 'tfjs-node is not installed',
    ],
  ]
  describe.each(backends)('with %s', (backend, name, missing) => {
    for (const action of ['own-plain', 'own-zip']) {
      needs(missing).it(`classifies, and leaves no tensor: ${action}`, async () => {
        for (const _ of ['cold', 'warm']) {
          const result = await session.resultOf(action, { image: photo.toString('base64'), backend })
          expect(result).toMatchObject({
            left: 0,
            versions: { tfjs: '4.22.0', mobilenet: '2.1.1', sharp: expect.any(String) },
          })
          // A reused container has loaded tfjs-node, whose backend takes precedence.
          expect([name, 'tensorflow']).toContain(result.backend)
          const found = result.predictions as typeof expected
          expect(found.map(({ className }) => className)).toEqual(expected.map(({ className }) => className))
          for (const [at, { probability }] of found.entries())
            expect(probability).toBeCloseTo(expected[at]?.probability ?? 0, 3)
        }
      })
    }
  })
})
