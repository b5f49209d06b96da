import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { load as loadMobileNet } from '@tensorflow-models/mobilenet'
import { classifyImage } from '../../src/classifier/classify'
import { decodeImage } from '../../src/classifier/decode'
import { artifactsOf } from '../../src/classifier/engines/graph'
import { loadModel } from '../../src/classifier/load'
import { descriptionSchema } from '../../src/model-folder/description'
import { catalogue, needEntry } from '../../src/models/catalogue'
import { compileFolder } from '../../src/models/compile'
import { collectNetwork, readerOf } from '../../src/models/network-files'
import type { Network } from '../../src/network/graph'
import { inputsOf } from '../../src/network/graph'
import { readNetwork } from '../../src/network/read'
import { networkFiles, writeFiles } from '../../src/network/write'
import { sample, sampleNames } from '../helpers/images'
import { needs } from '../helpers/needs'

/** Real weights; optional, in a folder beside the checkout. */
const weights = join(__dirname, '..', '..', '..', 'shared', 'models', 'mobilenet_v1_0.25_224')
const withWeights = needs(!existsSync(weights) && `${weights} is missing`).describe

let parent: string
let count = 0
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'whisklens-mobilenet-'))
})
afterAll(() => rm(parent, { recursive: true }))

const unreachable = async (): Promise<never> => {
  throw new Error('was fetched')
}

/** Adds an entry's model from a folder. @returns its folder */
async function added(id: string, from: string): Promise<string> {
  const folder = await mkdtemp(join(parent, `${count++}-`))
  const description = await needEntry(id).write(folder, {
    from,
    download: unreachable,
    npmPackage: unreachable,
  })
  await compileFolder(folder, description)
  await writeFile(join(folder, 'whisklens.json'), JSON.stringify(description))
  return folder
}

describe('the catalogue', () => {
  it('has each model once, with a valid name', () => {
    const ids = catalogue.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const id of ids) expect(descriptionSchema.options[0].shape.id.safeParse(id).success).toBe(true)
    expect(ids).toEqual(expect.arrayContaining(['mobilenet-v1-0.25', 'mobilenet-v2-1.00', 'nsfw', 'faces']))
  })

  it('uses the same graph URLs as the package', async () => {
    const asked: string[] = []
    const download = async (url: string) => {
      asked.push(url)
      throw new Error('was asked')
    }
    for (const [id, version, alpha] of [
      ['mobilenet-v1-0.25', 1, 0.25],
      ['mobilenet-v2-1.00', 2, 1],
    ] as const) {
      await expect(needEntry(id).write(parent, { download, npmPackage: unreachable })).rejects.toThrow(
        'asked',
      )
      const url = jest.spyOn(global, 'fetch').mockRejectedValueOnce(new Error('was fetched'))
      await expect(loadMobileNet({ version, alpha })).rejects.toThrow('was fetched')
      expect(asked.pop()).toBe(url.mock.calls[0]?.[0])
      url.mockRestore()
    }
  })
})

/** A network as on TensorFlow Hub: with rescaled input and a background class. */
function asOnTensorFlowHub(network: Network): Network {
  const softmax = network.topology.node.find(({ op }) => op === 'Softmax')
  const [logits = ''] = softmax ? inputsOf(softmax) : []
  const float = { T: { type: 'DT_FLOAT' } }
  const constant = (name: string, dtype: string) => ({
    name,
    op: 'Const',
    input: [],
    attr: { dtype: { type: dtype } },
  })
  const image = network.topology.node.find(({ op }) => op === 'Placeholder')
  const node = [
    ...network.topology.node.map((one) => ({
      ...one,
      input: one.input.map((name) => (name === image?.name ? 'to/range' : name)),
    })),
    // Rescales pixels from 0–1 to the −1–1 of these weights, and prepends an output for the background.
    constant('two', 'DT_FLOAT'),
    constant('one', 'DT_FLOAT'),
    constant('shape', 'DT_INT32'),
    constant('background', 'DT_FLOAT'),
    constant('axis', 'DT_INT32'),
    { name: 'twice', op: 'Mul', input: [image?.name ?? '', 'two'], attr: float },
    { name: 'to/range', op: 'Sub', input: ['twice', 'one'], attr: float },
    { name: 'logits1000', op: 'Reshape', input: [logits, 'shape'], attr: float },
    {
      name: 'logits1001',
      op: 'ConcatV2',
      input: ['background', 'logits1000', 'axis'],
      attr: { ...float, N: { i: '2' } },
    },
  ]
  // The background gets the highest score by far, so that a test fails if it is counted.
  const added = Buffer.concat([
    Buffer.from(Float32Array.of(2, 1, 50).buffer),
    Buffer.from(Int32Array.of(1, 1000, 1).buffer),
  ])
  return {
    ...network,
    topology: { ...network.topology, node },
    signature: { outputs: { logits: { name: 'logits1001:0' } } },
    weightSpecs: [
      ...network.weightSpecs,
      { name: 'two', shape: [], dtype: 'float32' },
      { name: 'one', shape: [], dtype: 'float32' },
      { name: 'background', shape: [1, 1], dtype: 'float32' },
      { name: 'shape', shape: [2], dtype: 'int32' },
      { name: 'axis', shape: [], dtype: 'int32' },
    ],
    weights: new Uint8Array([...network.weights, ...added]),
  }
}

withWeights('MobileNet V1 0.25 with its real weights', () => {
  it('is the layers model with the known checksum, and recognizes photos', async () => {
    const model = await loadModel(await added('mobilenet-v1-0.25-layers', weights), 'wasm')
    const firsts = new Map<string, string[]>()
    for (const name of sampleNames) {
      const { labels } = await classifyImage(model, sample(name))
      firsts.set(
        name,
        labels.map(({ label }) => label),
      )
    }
    expect(firsts.get('coffee')?.[0]).toBe('espresso')
    expect(firsts.get('camera')?.[0]).toBe('tripod')
    expect(firsts.get('cat')?.slice(0, 4)).toEqual(
      expect.arrayContaining(['tabby', 'tiger cat', 'Egyptian cat']),
    )
  })

  it('is refused if it is another network, or in the other format', async () => {
    const other = await mkdtemp(join(parent, 'other-'))
    for (const name of await readdir(weights))
      await writeFile(join(other, name), await readFile(join(weights, name)))
    const shard = await readFile(join(other, 'group1-shard1of1'))
    shard[100] = (shard[100] ?? 0) ^ 1
    await writeFile(join(other, 'group1-shard1of1'), shard)
    await expect(added('mobilenet-v1-0.25-layers', other)).rejects.toThrow(
      /is not mobilenet-v1-0\.25-layers: its sha256/,
    )
    await expect(added('mobilenet-v1-0.25', weights)).rejects.toThrow(
      /Expected a graph-model in .*layers-model/,
    )
  })

  it('predicts like the package, in the format of TensorFlow Hub', async () => {
    const { files } = await collectNetwork(readerOf(weights))
    const hub = await mkdtemp(join(parent, 'hub-'))
    const network = asOnTensorFlowHub(readNetwork(files, 224, weights))
    await writeFiles(hub, networkFiles(network))
    const folder = await added('mobilenet-v1-0.25', hub)
    const model = await loadModel(folder, 'wasm')
    const reference = await loadMobileNet({
      version: 1,
      alpha: 0.25,
      modelUrl: tf.io.fromMemory(artifactsOf(network)),
      inputRange: [0, 1],
    })
    for (const name of sampleNames) {
      const { labels } = await classifyImage(model, sample(name))
      const { pixels, rows, columns } = await decodeImage(sample(name), model.task.input)
      const image = tf.tensor3d(Uint8Array.from(pixels), [rows, columns, 3], 'int32')
      const expected = await reference.classify(image, 5)
      image.dispose()
      expect(labels.map(({ className }) => className)).toEqual(expected.map(({ className }) => className))
      for (const [index, { probability }] of expected.entries())
        expect(labels[index]?.probability).toBeCloseTo(probability, 4)
    }
  })
})
