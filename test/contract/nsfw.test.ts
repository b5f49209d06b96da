import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers'
import sharp from 'sharp'
import { classifyImage } from '../../src/classifier/classify'
import { decodeImage } from '../../src/classifier/decode'
import { type LoadedModel, loadModel } from '../../src/classifier/load'
import { nsfw } from '../../src/models/catalogue/nsfw'
import { openSources } from '../../src/models/catalogue/sources'
import { compileFolder } from '../../src/models/compile'
import { writeDescription } from '../../src/models/describe'
import { cacheFolder } from '../../src/paths'
import { sample, sampleNames } from '../helpers/images'
import { needs } from '../helpers/needs'

/*
 * The model extracted from the nsfwjs package, compared with its layers in TensorFlow.js, and with nsfwjs' results for
 * photos. The package is downloaded once, into the cache.
 */

const spec = 'nsfwjs@4.4.0'
const isCached = existsSync(join(cacheFolder(), 'npm', spec))
const isThere = isCached || spawnSync('npm', ['view', spec, 'version'], { timeout: 60_000 }).status === 0

/** Resized as in `infer` of nsfwjs; pixels 0–255. */
async function asNsfwjs(name: string): Promise<tf.Tensor> {
  const { data, info } = await sharp(sample(name)).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  const image = tf.tensor3d(new Float32Array(data), [info.height, info.width, 3])
  return tf.reshape(tf.image.resizeBilinear(image, [224, 224], true), [1, 224, 224, 3])
}

async function valuesOf(model: LayersModel, pixels: tf.Tensor): Promise<number[]> {
  const output = model.predict(tf.div(pixels, 255)) as tf.Tensor
  return Array.from(await output.data())
}

needs(!isThere && `${spec} cannot be fetched`).describe('the model of nsfwjs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'whisklens-nsfw-'))
  let model: LoadedModel
  let layers: LayersModel

  beforeAll(async () => {
    const description = await nsfw.write(
      folder,
      openSources(() => {}),
    )
    const { modelTopology, weightsManifest } = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'))
    const { paths, weights } = weightsManifest[0]
    const bytes = Uint8Array.from(
      Buffer.concat(paths.map((path: string) => readFileSync(join(folder, path)))),
    )
    await compileFolder(folder, description)
    await writeDescription(folder, description)
    model = await loadModel(folder, 'wasm')
    const artifacts = { modelTopology, weightSpecs: weights, weightData: bytes.buffer }
    layers = await loadLayersModel(tf.io.fromMemory(artifacts))
  }, 600_000)
  afterAll(() => {
    rmSync(folder, { recursive: true })
  })

  it('has its five labels', () => {
    expect(model.folder.classes.map(({ className }) => className)).toEqual([
      'Drawing',
      'Hentai',
      'Neutral',
      'Porn',
      'Sexy',
    ])
  })

  it.each(sampleNames)('agrees with its layers on %s', async (name) => {
    const pixels = await decodeImage(sample(name), model.task.input)
    const expected = await valuesOf(layers, tf.tensor(pixels.pixels, [1, 224, 224, 3]))
    const { labels } = await model.task.predict(pixels, 5)
    expect(labels).toHaveLength(5)
    for (const { index, probability } of labels)
      expect(Math.abs(probability - (expected[index] ?? Number.NaN))).toBeLessThan(1e-3)
  })

  // nsfwjs downscales by nearest neighbour, so its results differ for photos with fine detail.
  it.each(['astronaut', 'cat', 'coffee', 'flower'])('says of %s what nsfwjs says', async (name) => {
    const expected = await valuesOf(layers, await asNsfwjs(name))
    const { labels } = await classifyImage(model, sample(name))
    expect(expected.indexOf(Math.max(...expected))).toBe(labels[0]?.index)
    expect(labels[0]?.label).toBe('Neutral')
  })
})
