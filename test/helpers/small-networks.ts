import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/*
 * Networks of a few nodes, each for something that is easily got wrong in writing a network out for another engine.
 */

type Attributes = Record<string, object>

interface Weight {
  name: string
  shape: number[]
  dtype: 'float32' | 'int32'
  quantization?: object
  bytes: Buffer
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const strings = (values: string[]) => ({ list: { s: values.map(base64) } })
const integers = (values: number[]) => ({ list: { i: values.map(String) } })
const float = { T: { type: 'DT_FLOAT' } }

/** The next number between -1 and 1: the same in every process. */
function randomNumbers(): () => number {
  let state = 1
  return () => {
    state = (state * 48271) % 2147483647
    return (state / 2147483647) * 2 - 1
  }
}

type Stored = 'float32' | 'uint8' | 'uint16'
const stores: Record<Stored, (value: number) => Buffer> = {
  float32: (value) => Buffer.from(Float32Array.of(value).buffer),
  uint8: (value) => Buffer.of(Math.round((value + 1) * 127)),
  uint16: (value) => Buffer.from(Uint16Array.of(Math.round((value + 1) * 32767)).buffer),
}

export class SmallNetwork {
  readonly nodes: object[] = []
  readonly weights: Weight[] = []
  readonly #random = randomNumbers()

  constructor(readonly size: number) {
    const dim = [-1, size, size, 3].map((length) => ({ size: String(length) }))
    this.add('image', 'Placeholder', [], { dtype: { type: 'DT_FLOAT' }, shape: { shape: { dim } } })
  }

  add(name: string, op: string, input: string[], attr: Attributes): string {
    this.nodes.push({ name, op, input, attr })
    return name
  }

  constant(weight: Weight): string {
    this.weights.push(weight)
    return this.add(weight.name, 'Const', [], {
      dtype: { type: `DT_${weight.dtype === 'int32' ? 'INT32' : 'FLOAT'}` },
    })
  }

  weight(name: string, shape: number[], stored: Stored = 'float32'): string {
    const values = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, this.#random)
    const bytes = Buffer.concat(values.map(stores[stored]))
    const scale = stored === 'uint8' ? 1 / 127 : 1 / 32767
    const quantization = stored === 'float32' ? undefined : { dtype: stored, scale, min: -1 }
    return this.constant({ name, shape, dtype: 'float32', quantization, bytes })
  }

  convolution(
    name: string,
    input: string,
    kernelShape: number[],
    {
      op = '_FusedConv2D',
      stride = 1,
      padding = 'SAME',
      dilation = 1,
      fused = ['BiasAdd', 'Relu6'],
      stored = 'float32' as Stored,
    } = {},
  ): string {
    const kernel = this.weight(`${name}/kernel`, kernelShape, stored)
    const channels = op.includes('Depthwise') ? (kernelShape[2] ?? 0) * (kernelShape[3] ?? 0) : kernelShape[3]
    const bias = fused.length > 0 ? [this.weight(`${name}/bias`, [channels ?? 0])] : []
    return this.add(name, op, [input, kernel, ...bias], {
      ...float,
      ...(fused.length > 0 && { num_args: { i: '1' }, epsilon: { f: 0 }, fused_ops: strings(fused) }),
      strides: integers([1, stride, stride, 1]),
      dilations: integers([1, dilation, dilation, 1]),
      padding: { s: base64(padding) },
      data_format: { s: base64('NHWC') },
      explicit_paddings: { list: {} },
    })
  }

  /** The mean of each channel, which makes a network's classes of any image. */
  mean(input: string, keepDims = false): string {
    const bytes = Buffer.from(Int32Array.of(1, 2).buffer)
    const axes = this.constant({ name: 'mean/axes', shape: [2], dtype: 'int32', bytes })
    const type = { ...float, Tidx: { type: 'DT_INT32' } }
    return this.add('mean', 'Mean', [input, axes], { ...type, keep_dims: { b: keepDims } })
  }
}

const folders: string[] = []
export const removeSmallNetworks = (): void => {
  for (const folder of folders) rmSync(folder, { recursive: true })
}

/** Writes a model folder. @param classes how many values the network has at the end */
export function writeNetwork({ nodes, weights, size }: SmallNetwork, classes: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'whisklens-network-'))
  folders.push(folder)
  const files = {
    'model.json': {
      modelTopology: { node: nodes, versions: {} },
      weightsManifest: [
        { paths: ['group1-shard1of1.bin'], weights: weights.map(({ bytes: _, ...spec }) => spec) },
      ],
    },
    'whisklens.json': {
      schema: 'whisklens.model/1',
      id: 'small',
      task: 'classification',
      format: 'graph-model',
      input: { size, resizeShortSide: size, kernel: 'cubic', mean: 127, std: 64 },
      labels: 'labels.json',
      ...{ license: 'Apache-2.0', description: 'A few nodes', source: 'A test' },
    },
    'labels.json': Array.from({ length: classes }, (_, index) => ({
      wordnetId: `n${String(index).padStart(8, '0')}`,
      className: `class ${index}`,
    })),
  }
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(folder, name), JSON.stringify(content))
  writeFileSync(join(folder, 'group1-shard1of1.bin'), Buffer.concat(weights.map(({ bytes }) => bytes)))
  return folder
}

function network(size: number, classes: number, build: (network: SmallNetwork) => void): () => string {
  return () => {
    const made = new SmallNetwork(size)
    build(made)
    return writeNetwork(made, classes)
  }
}

const depthwise = 'FusedDepthwiseConv2dNative'

/** Model folders by what they are for; each call writes one. */
export const smallNetworks: Record<string, () => string> = {
  'strides over an even size, padded more at the end': network(16, 8, (net) => {
    const first = net.convolution('first', 'image', [3, 3, 3, 6], { stride: 2 })
    const second = net.convolution('second', first, [5, 5, 6, 1], { op: depthwise, stride: 2 })
    net.mean(net.convolution('third', second, [1, 1, 6, 8], { fused: ['BiasAdd'] }))
  }),
  'strides over an odd size': network(15, 4, (net) => {
    const first = net.convolution('first', 'image', [3, 3, 3, 4], { stride: 2, fused: ['BiasAdd', 'Relu'] })
    net.mean(net.convolution('second', first, [3, 3, 4, 1], { op: depthwise, stride: 2 }))
  }),
  'no padding, and kernels with holes': network(20, 5, (net) => {
    const first = net.convolution('first', 'image', [3, 3, 3, 5], { padding: 'VALID', dilation: 2 })
    net.mean(net.convolution('second', first, [3, 3, 5, 1], { op: depthwise, padding: 'VALID' }))
  }),
  'two filters for each channel': network(9, 6, (net) => {
    net.mean(net.convolution('filters', 'image', [3, 3, 3, 2], { op: depthwise }))
  }),
  'operations that nobody fused': network(12, 4, (net) => {
    const plain = net.convolution('plain', 'image', [3, 3, 3, 4], { op: 'Conv2D', fused: [] })
    const biased = net.add('biased', 'BiasAdd', [plain, net.weight('bias', [4])], float)
    const relu = net.add('relu', 'Relu', [biased], float)
    const deep = net.convolution('deep', relu, [3, 3, 4, 1], { op: 'DepthwiseConv2dNative', fused: [] })
    const relu6 = net.add('relu6', 'Relu6', [net.add('same', 'Identity', [deep], float)], float)
    net.mean(net.add('sum', 'AddV2', [relu6, relu], float))
  }),
  'weights of 8 and 16 bits': network(10, 7, (net) => {
    const first = net.convolution('first', 'image', [3, 3, 3, 4], { stored: 'uint8' })
    net.mean(net.convolution('second', first, [1, 1, 4, 7], { stored: 'uint16' }))
  }),
  'a kept axis, and a product with a transposed matrix': network(8, 3, (net) => {
    const kept = net.add('sum', 'AddV2', [net.mean('image', true), 'image'], float)
    const axes = Buffer.from(Int32Array.of(1, 2).buffer)
    const second = net.constant({ name: 'axes', shape: [2], dtype: 'int32', bytes: axes })
    const type = { ...float, Tidx: { type: 'DT_INT32' }, keep_dims: { b: false } }
    const mean = net.add('second', 'Mean', [kept, second], type)
    const matrices = { ...float, transpose_a: { b: false }, transpose_b: { b: true } }
    const product = net.add('product', 'MatMul', [mean, net.weight('matrix', [3, 3])], matrices)
    net.add('probabilities', 'Softmax', [product], float)
  }),
}

/** A network that no engine knows. */
export const unknownNetwork = network(8, 3, (net) => {
  net.mean(net.add('oracle', 'Divine', ['image'], float))
})
