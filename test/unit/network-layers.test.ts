import * as tf from '@tensorflow/tfjs-core'
import { loadLayersModel } from '@tensorflow/tfjs-layers'
import fc from 'fast-check'
import { findEngine } from '../../src/classifier/engines'
import { InvalidInputError } from '../../src/errors'
import { readModelFolder } from '../../src/model-folder/folder'
import type { Network } from '../../src/network/graph'
import { layersToNetwork } from '../../src/network/layers'
import { topologySchema } from '../../src/network/layers/topology'
import { optimizeNetwork } from '../../src/network/optimize'
import { readNetwork } from '../../src/network/read'
import { loadNetwork } from '../helpers/network'
import { removeSmallLayers, SmallLayers, smallLayers, writeLayers } from '../helpers/small-layers'

/*
 * Compares networks converted from layers with the layers of TensorFlow.js.
 */

type Model = Pick<SmallLayers, 'stored' | 'size'> & { topology: object }

const networkOf = ({ topology, stored, size }: Model): Network =>
  layersToNetwork(topologySchema.parse(topology), stored, size)

const picture = (size: number): Float32Array =>
  Float32Array.from({ length: size * size * 3 }, (_, index) => Math.sin(index * index))

async function valuesOf(network: Network, image: Float32Array): Promise<number[]> {
  const predictor = await loadNetwork('cpu', network)
  const [values = new Float32Array()] = await predictor.predict(image)
  predictor.dispose()
  return Array.from(values)
}

async function expectedOf(
  topology: object,
  { stored, size }: SmallLayers,
  image: Float32Array,
): Promise<number[]> {
  const artifacts = {
    modelTopology: topology,
    weightSpecs: stored.weightSpecs,
    weightData: stored.weights.buffer,
  }
  const model = await loadLayersModel(tf.io.fromMemory(artifacts))
  const output = model.predict(tf.tensor4d(image, [1, size, size, 3])) as tf.Tensor
  return Array.from(await output.data())
}

function expectClose(values: number[], expected: number[]): void {
  expect(values).toHaveLength(expected.length)
  const furthest = Math.max(
    ...values.map((value, index) => Math.abs(value - (expected[index] ?? Number.NaN))),
  )
  expect(furthest).toBeLessThan(1e-5)
}

beforeAll(async () => {
  // Before layers are loaded: they bind to the current backend.
  await findEngine('cpu').start?.()
})

afterAll(removeSmallLayers)

describe('a network converted from layers gives the same results', () => {
  it.each(Object.entries(smallLayers))('%s', async (_, build) => {
    const model = build()
    const image = picture(model.size)
    const expected = await expectedOf(model.topology, model, image)
    // A constant output would make the comparison meaningless.
    expect(new Set(expected).size).toBeGreaterThan(4)
    const network = networkOf(model)
    expectClose(await valuesOf(network, image), expected)
    expectClose(await valuesOf(optimizeNetwork(network), image), expected)
  })

  it('a slope by its name in Keras 3', () => {
    const leaky = (config: object): Network => {
      const model = new SmallLayers(8)
      model.add('LeakyReLU', 'leaky', ['image'], config)
      return networkOf(model)
    }
    expect(leaky({ negative_slope: 0.1 })).toEqual(leaky({ alpha: 0.1 }))
    expect(leaky({ negative_slope: 0.1 })).not.toEqual(leaky({}))
  })

  it('in a sequence', async () => {
    const model = smallLayers['batch norm and relu6 after convolutions']?.() ?? new SmallLayers(8)
    const image = picture(model.size)
    const expected = await expectedOf(model.sequence, model, image)
    const { stored, size, sequence } = model
    expectClose(await valuesOf(networkOf({ topology: sequence, stored, size }), image), expected)
  })

  it('in a sequence that starts with a model, with weights named by both', async () => {
    const inner = smallLayers['zeros that are those of SAME']?.() ?? new SmallLayers(8)
    const image = picture(inner.size)
    const head = new SmallLayers(8)
    head.dense('head', 'image', [8, 5], 'softmax')
    const layers = [inner.topology.model_config, ...head.layers.slice(1)]
    const topology = { class_name: 'Sequential', config: { name: 'whole', layers } }
    inner.weights.push(...head.weights)
    const expected = await expectedOf(topology, inner, image)
    const { stored, size } = inner
    expectClose(await valuesOf(networkOf({ topology, stored, size }), image), expected)
    const prefixed = stored.weightSpecs.map((spec) => ({ ...spec, name: `whole/${spec.name}:0` }))
    const network = networkOf({ topology, stored: { ...stored, weightSpecs: prefixed }, size })
    expectClose(await valuesOf(network, image), expected)
  })

  it('any zero padding before any window', async () => {
    const upTo = (max: number) => fc.integer({ min: 0, max })
    const zeros = fc.tuple(fc.tuple(upTo(2), upTo(2)), fc.tuple(upTo(2), upTo(2)))
    const cases = fc.tuple(
      zeros,
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 6, max: 9 }),
    )
    await fc.assert(
      fc.asyncProperty(
        cases,
        fc.constantFrom('valid', 'same'),
        async ([padding, kernel, stride, size], mode) => {
          const model = new SmallLayers(size)
          const pad = model.add('ZeroPadding2D', 'pad', ['image'], { padding })
          const more = { strides: [stride, stride], padding: mode }
          const stem = model.convolution('stem', pad, [kernel, kernel, 3, 2], more)
          model.add('Flatten', 'flat', [stem], {})
          const image = picture(size)
          const network = optimizeNetwork(networkOf(model))
          expectClose(await valuesOf(network, image), await expectedOf(model.topology, model, image))
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('a network converted from layers', () => {
  const built = (name: string): Network =>
    optimizeNetwork(networkOf(smallLayers[name]?.() ?? new SmallLayers(8)))
  const operations = (name: string): string[] => built(name).topology.node.map(({ op }) => op)

  it('has folded batch norms and fused activations', () => {
    const kept = operations('batch norm and relu6 after convolutions').filter((op) => op !== 'Const')
    expect(kept).toEqual([
      ...['Placeholder', '_FusedConv2D', 'FusedDepthwiseConv2dNative', '_FusedConv2D'],
      ...['Mean', '_FusedMatMul', 'Softmax'],
    ])
  })

  it('merges zero padding into the window only if equivalent', () => {
    expect(operations('zeros that are those of SAME')).not.toContain('Pad')
    expect(operations('zeros that are not those of SAME').filter((op) => op === 'Pad')).toHaveLength(3)
  })
})

describe('layers are refused by their name', () => {
  const small = (build: (model: SmallLayers) => void, size = 8): SmallLayers => {
    const model = new SmallLayers(size)
    build(model)
    return model
  }
  const stem = (model: SmallLayers, more: object = {}): string =>
    model.convolution('stem', 'image', [3, 3, 3, 4], more)
  const changed = (change: (model: SmallLayers) => void): SmallLayers =>
    small((model) => {
      stem(model)
      change(model)
    })
  const layer = (model: SmallLayers, at: number) =>
    model.layers[at] as { inbound_nodes: unknown[]; config: object }

  it.each<[string, SmallLayers, RegExp]>([
    ['an unknown kind', small((model) => model.add('Oracle', 'delphi', ['image'], {})), /delphi \(Oracle\)/],
    ['an unknown activation', small((model) => stem(model, { activation: 'wish' })), /stem.*wish/],
    ['a kind that every object has', small((model) => model.add('constructor', 'eve', ['image'], {})), /eve/],
    [
      'an activation that every object has',
      small((model) => stem(model, { activation: 'toString' })),
      /stem.*toS/,
    ],
    ['an unknown padding', small((model) => stem(model, { padding: 'causal' })), /stem[\s\S]*padding/],
    [
      'channels first',
      small((model) => stem(model, { data_format: 'channels_first' })),
      /stem[\s\S]*data_format/,
    ],
    ['groups', small((model) => stem(model, { groups: 3 })), /stem[\s\S]*one group/],
    [
      'a slope with a maximum',
      small((model) => model.add('ReLU', 'kink', ['image'], { max_value: 6, negative_slope: 0.1 })),
      /kink/,
    ],
    [
      'a window larger than the image',
      small((model) => stem(model, { padding: 'valid' }), 2),
      /stem.*window/,
    ],
    ['another axis', small((model) => model.batchNorm('norm', 'image', 3, { axis: 1 })), /norm.*axis 1/],
    [
      'a product with an image',
      small((model) => model.dense('dense', 'image', [3, 4], 'linear')),
      /dense.*expected 1 axes/,
    ],
    [
      'tensors that do not fit',
      changed((model) => model.add('Add', 'sum', ['stem', 'image'], {})),
      /sum.*\[8,8,4\].*\[8,8,3\]/,
    ],
    ['one tensor to add', small((model) => model.add('Add', 'sum', ['image'], {})), /sum.*fewer than two/],
    [
      'tensors that cannot be joined',
      small((model) =>
        model.add('Concatenate', 'joined', ['image', model.add('MaxPooling2D', 'max', ['image'], {})], {}),
      ),
      /joined/,
    ],
    [
      'an axis that is not there',
      small((model) => model.add('Concatenate', 'joined', ['image', 'image'], { axis: 4 })),
      /joined.*4/,
    ],
    [
      'a shape of another length',
      small((model) => model.add('Reshape', 'bent', ['image'], { target_shape: [7, -1] })),
      /bent/,
    ],
    [
      'a layer that is read and missing',
      small((model) => model.add('Flatten', 'flat', ['nowhere'], {})),
      /nowhere/,
    ],
    ['a weight that is missing', changed((model) => model.weights.pop()), /stem.*"bias"/],
    [
      'a weight of another shape',
      changed((model) => Object.assign(model.weights[1] ?? {}, { shape: [2, 2] })),
      /stem.*"bias".*\[2,2\].*\[4\]/,
    ],
    ['a weight that no layer reads', changed((model) => model.weight('ghost/kernel', [3])), /ghost\/kernel/],
    [
      'weights that end early',
      changed((model) => Object.assign(model.weights[1] ?? {}, { shape: [5] })),
      /end within stem\/bias/,
    ],
    [
      'weights that go on',
      changed((model) => Object.assign(model.weights[1] ?? {}, { shape: [3] })),
      /4 bytes/,
    ],
    [
      'a layer that is used twice',
      changed((model) => layer(model, 1).inbound_nodes.push([['image', 0, 0, {}]])),
      /stem.*more than once/,
    ],
    [
      'a second output',
      small((model) => {
        stem(model)
        layer(model, 1).inbound_nodes = [[['image', 0, 1, {}]]]
      }),
      /stem.*second output/,
    ],
    ['a circle', small((model) => model.add('Flatten', 'round', ['round'], {})), /round/],
  ])('%s', (_, model, named) => {
    expect(() => networkOf(model)).toThrow(InvalidInputError)
    expect(() => networkOf(model)).toThrow(named)
  })

  it('images of another size', () => {
    const model = changed(() => {})
    expect(() => networkOf({ topology: model.topology, stored: model.stored, size: 16 })).toThrow(
      /image.*\[8,8,3\].*\[16,16,3\]/,
    )
  })

  it('a folder without one of its shards', async () => {
    const folder = writeLayers(changed(() => {}))
    const { files } = await readModelFolder(folder)
    expect(readNetwork(files, 8, folder).topology.node).not.toHaveLength(0)
    const others = new Map([...files].filter(([name]) => name !== 'group2-shard1of1'))
    expect(() => readNetwork(others, 8, folder)).toThrow(/group2-shard1of1/)
  })

  it('a model without layers', () => {
    expect(topologySchema.safeParse({ model_config: { class_name: 'Model', config: {} } }).success).toBe(
      false,
    )
  })
})
