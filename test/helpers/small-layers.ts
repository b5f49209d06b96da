import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomNumbers } from '../../src/random-numbers'

/* Models of a few Keras layers in the format of TensorFlow.js. */

interface Weight {
  name: string
  shape: number[]
  dtype: 'float32'
  values: Float32Array
}

/** A serialized layer; layers of a sequence have no inbound nodes. */
interface LayerJson {
  class_name: string
  config: object
}

/** Builds a functional model layer by layer; each method returns the name of the layer it added. */
export class SmallLayers {
  readonly layers: object[] = []
  readonly weights: Weight[] = []
  output = 'image'
  /** Number of outputs. */
  classes = 8
  readonly #random = randomNumbers(7)

  constructor(readonly size: number) {
    const config = { batch_input_shape: [null, size, size, 3], dtype: 'float32', name: 'image' }
    this.layers.push({ class_name: 'InputLayer', name: 'image', config, inbound_nodes: [] })
  }

  /** @param shapes shapes of its weights */
  add(
    kind: string,
    name: string,
    inputs: string[],
    config: object,
    shapes: Record<string, number[]> = {},
  ): string {
    const inbound = inputs.map((input) => [input, 0, 0, {}])
    this.layers.push({ class_name: kind, name, config: { name, ...config }, inbound_nodes: [inbound] })
    for (const [weight, shape] of Object.entries(shapes)) this.weight(`${name}/${weight}`, shape)
    this.output = name
    return name
  }

  weight(name: string, shape: number[]): void {
    const length = shape.reduce((a, b) => a * b, 1)
    const spread = shape.length > 1 ? 2 / Math.sqrt(length / (shape.at(-1) ?? 1)) : 1
    const values = Float32Array.from({ length }, () => {
      const value = (this.#random() * 2 - 1) * spread
      return name.endsWith('variance') ? Math.abs(value) + 0.3 : value
    })
    this.weights.push({ name, shape, dtype: 'float32', values })
  }

  convolution(
    name: string,
    input: string,
    [rows, columns, depth, filters]: number[],
    more: object = {},
  ): string {
    const config = { filters, kernel_size: [rows, columns], strides: [1, 1], padding: 'same', ...more }
    const kernel = [rows, columns, depth, filters] as number[]
    const bias: Record<string, number[]> = 'use_bias' in more ? {} : { bias: [filters ?? 0] }
    return this.add('Conv2D', name, [input], config, { kernel, ...bias })
  }

  depthwise(name: string, input: string, kernel: number[], more: object = {}): string {
    const [rows, columns, , multiplier] = kernel
    const size = { kernel_size: [rows, columns], depth_multiplier: multiplier, use_bias: false }
    const config = { ...size, strides: [1, 1], padding: 'same', ...more }
    return this.add('DepthwiseConv2D', name, [input], config, { depthwise_kernel: kernel })
  }

  batchNorm(name: string, input: string, channels: number, more: object = {}): string {
    const shape = [channels]
    const shapes = { gamma: shape, beta: shape, moving_mean: shape, moving_variance: shape }
    return this.add('BatchNormalization', name, [input], { axis: -1, epsilon: 1e-3, ...more }, shapes)
  }

  dense(name: string, input: string, [width, units]: [number, number], activation: string): string {
    const shapes = { kernel: [width, units], bias: [units] }
    return this.add('Dense', name, [input], { units, activation, use_bias: true }, shapes)
  }

  get topology() {
    const ends = { input_layers: [['image', 0, 0]], output_layers: [[this.output, 0, 0]] }
    const config = { name: 'small', layers: this.layers, ...ends }
    return { keras_version: '2.2.4', backend: 'tensorflow', model_config: { class_name: 'Model', config } }
  }

  /** The same layers as a Sequential model, in the order they were added. */
  get sequence() {
    const layers = (this.layers as LayerJson[]).map(({ class_name, config }) => ({ class_name, config }))
    const model_config = { class_name: 'Sequential', config: { name: 'small', layers } }
    return { keras_version: '2.2.4', backend: 'tensorflow', model_config }
  }

  get stored() {
    const bytes = this.weights.map(({ values }) => Buffer.from(values.buffer))
    return {
      weightSpecs: this.weights.map(({ values: _, ...spec }) => spec),
      weights: Uint8Array.from(Buffer.concat(bytes)),
    }
  }
}

function model(size: number, build: (model: SmallLayers) => void): () => SmallLayers {
  return () => {
    const made = new SmallLayers(size)
    build(made)
    return made
  }
}

/** Zero padding. */
const zeros = (padding: number[][]) => ({ padding, data_format: 'channels_last' })

/** First convolution of MobileNet: pads below and on the right, then has stride 2. */
function stemAfterZeros(net: SmallLayers): string {
  const padding = zeros([
    [0, 1],
    [0, 1],
  ])
  const pad = net.add('ZeroPadding2D', 'pad', ['image'], padding)
  return net.convolution('stem', pad, [3, 3, 3, 4], { strides: [2, 2], padding: 'valid' })
}

/** Adds the final block: pooling, then eight classes. */
function classify(net: SmallLayers, input: string, channels: number): void {
  const pooled = net.add('GlobalAveragePooling2D', 'pooled', [input], {})
  net.dense('classes', pooled, [channels, 8], 'softmax')
}

/** Models by the case they cover. */
export const smallLayers: Record<string, () => SmallLayers> = {
  'batch norm and relu6 after convolutions': model(12, (net) => {
    const stem = net.convolution('stem', 'image', [3, 3, 3, 6], { strides: [2, 2], use_bias: false })
    const relu = net.add('ReLU', 'stem_relu', [net.batchNorm('stem_bn', stem, 6)], { max_value: 6 })
    const deep = net.batchNorm('deep_bn', net.depthwise('deep', relu, [3, 3, 6, 2]), 12)
    const point = net.convolution(
      'point',
      net.add('Activation', 'deep_relu', [deep], { activation: 'relu6' }),
      [1, 1, 12, 5],
    )
    classify(net, net.batchNorm('point_bn', point, 5), 5)
  }),
  'zeros that are those of SAME': model(16, (net) => {
    const stem = stemAfterZeros(net)
    const around = net.add(
      'ZeroPadding2D',
      'around',
      [stem],
      zeros([
        [1, 1],
        [1, 1],
      ]),
    )
    classify(net, net.depthwise('deep', around, [3, 3, 4, 1], { padding: 'valid' }), 4)
  }),
  'zeros that are not those of SAME': model(15, (net) => {
    const stem = stemAfterZeros(net)
    const left = net.add(
      'ZeroPadding2D',
      'left',
      [stem],
      zeros([
        [2, 0],
        [3, 1],
      ]),
    )
    const deep = net.depthwise('deep', left, [3, 3, 4, 1], { padding: 'valid' })
    classify(
      net,
      net.add(
        'MaxPooling2D',
        'max',
        [
          net.add(
            'ZeroPadding2D',
            'more',
            [deep],
            zeros([
              [1, 1],
              [1, 1],
            ]),
          ),
        ],
        { pool_size: [3, 3], strides: [2, 2], padding: 'valid' },
      ),
      4,
    )
  }),
  'separable convolutions, and kernels with holes': model(14, (net) => {
    const shapes = { depthwise_kernel: [3, 3, 3, 2], pointwise_kernel: [1, 1, 6, 5], bias: [5] }
    const config = {
      filters: 5,
      kernel_size: [3, 3],
      depth_multiplier: 2,
      padding: 'same',
      activation: 'relu',
    }
    const first = net.add('SeparableConv2D', 'first', ['image'], config, shapes)
    classify(
      net,
      net.convolution('holes', first, [3, 3, 5, 4], { dilation_rate: [2, 2], activation: 'tanh' }),
      4,
    )
  }),
  'pools of every kind': model(13, (net) => {
    const stem = net.convolution('stem', 'image', [3, 3, 3, 6])
    const max = net.add('MaxPooling2D', 'max', [stem], {
      pool_size: [3, 3],
      strides: [2, 2],
      padding: 'same',
    })
    const mean = net.add('AveragePooling2D', 'mean', [max], {
      pool_size: [2, 2],
      strides: null,
      padding: 'same',
    })
    const valid = net.add('AveragePooling2D', 'valid', [mean], {
      pool_size: [2, 2],
      strides: [1, 1],
      padding: 'valid',
    })
    const both = [
      net.add('GlobalMaxPooling2D', 'highest', [valid], {}),
      net.add('GlobalAveragePooling2D', 'average', [valid], {}),
    ]
    net.dense('classes', net.add('Concatenate', 'both', both, { axis: -1 }), [12, 8], 'softmax')
  }),
  'branches that come together': model(10, (net) => {
    const one = net.convolution('one', 'image', [1, 1, 3, 4], { activation: 'relu' })
    const two = net.convolution('two', 'image', [3, 3, 3, 4], { activation: 'sigmoid' })
    const sum = net.add('Add', 'sum', [one, two, one], {})
    const most = net.add('Maximum', 'most', [one, two], {})
    const joined = net.add('Concatenate', 'joined', [sum, most, 'image'], { axis: 3 })
    // Squeeze-and-excitation.
    const squeezed = net.add('GlobalAveragePooling2D', 'squeezed', [joined], {})
    const shaped = net.add('Reshape', 'shaped', [squeezed], { target_shape: [1, 1, 11] })
    const gate = net.convolution('gate', shaped, [1, 1, 11, 11], { activation: 'sigmoid' })
    classify(net, net.add('Multiply', 'excited', [joined, gate], {}), 11)
  }),
  'activations of every kind': model(8, (net) => {
    // TensorFlow warns of what it cannot fuse if many activations follow a bias.
    const wide = net.convolution('wide', 'image', [1, 1, 3, 4])
    const stem = net.add('AveragePooling2D', 'stem', [wide], { pool_size: [2, 2], padding: 'same' })
    const functions = [
      'linear',
      'elu',
      'selu',
      'softplus',
      'tanh',
      'sigmoid',
      'swish',
      'relu',
      'relu6',
      'softmax',
    ]
    const branches = functions.map((activation) => net.add('Activation', activation, [stem], { activation }))
    const limited = net.add('ReLU', 'limited', [stem], { max_value: 0.5 })
    const leaky = net.add('LeakyReLU', 'leaky', [stem], { alpha: 0.1 })
    const joined = net.add('Concatenate', 'joined', [...branches, limited, leaky], { axis: -1 })
    net.classes = 48
    net.add('Softmax', 'classes', [net.add('GlobalAveragePooling2D', 'pooled', [joined], {})], { axis: -1 })
  }),
  'a batch norm on its own, and one of a vector': model(8, (net) => {
    const scaled = net.add('Rescaling', 'scaled', ['image'], { scale: 0.5, offset: -0.25 })
    const alone = net.batchNorm('alone', scaled, 3)
    const relu = net.add('Activation', 'alone_relu', [alone], { activation: 'relu' })
    const flat = net.add('Flatten', 'flat', [net.add('Dropout', 'dropped', [relu], { rate: 0.5 })], {})
    const hidden = net.batchNorm('hidden_bn', net.dense('hidden', flat, [192, 6], 'relu'), 6)
    net.dense('classes', hidden, [6, 8], 'softmax')
  }),
}

const folders: string[] = []
export const removeSmallLayers = (): void => {
  for (const folder of folders) rmSync(folder, { recursive: true })
}

/** Writes a model folder, with one shard per weight like early converters. */
export function writeLayers(made: SmallLayers): string {
  const folder = mkdtempSync(join(tmpdir(), 'whisklens-layers-'))
  folders.push(folder)
  const weightsManifest = made.weights.map(({ values: _, ...spec }, index) => ({
    ...{ paths: [`group${index + 1}-shard1of1`], weights: [spec] },
  }))
  const description = {
    ...{ schema: 'whisklens.model/1', id: 'small-layers', task: 'classification' },
    input: { size: made.size, kernel: 'linear', mean: 127, std: 64 },
    ...{ labels: 'labels.json', license: 'Apache-2.0', description: 'A few layers', source: 'A test' },
  }
  const labels = Array.from({ length: made.classes }, (_, index) => ({ className: `class ${index}` }))
  const json = { 'model.json': { modelTopology: made.topology, weightsManifest }, 'labels.json': labels }
  for (const [name, content] of Object.entries({ ...json, 'whisklens.json': description }))
    writeFileSync(join(folder, name), JSON.stringify(content))
  made.weights.forEach(({ values }, index) => {
    writeFileSync(join(folder, `group${index + 1}-shard1of1`), Buffer.from(values.buffer))
  })
  return folder
}
