import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomNumbers } from '../../src/random-numbers'
import { compiled } from './compiled'

/* Networks of a few nodes, one for each case that is error-prone when a network is converted to another engine. */

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
const int = { type: 'DT_INT32' }

type Stored = 'float32' | 'uint8' | 'uint16'
const stores: Record<Stored, (value: number) => Buffer> = {
  float32: (value) => Buffer.from(Float32Array.of(value).buffer),
  uint8: (value) => Buffer.of(Math.round((value + 1) * 127)),
  uint16: (value) => Buffer.from(Uint16Array.of(Math.round((value + 1) * 32767)).buffer),
}

export class SmallNetwork {
  readonly nodes: object[] = []
  readonly weights: Weight[] = []
  readonly #random = randomNumbers(1)

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

  integers(name: string, shape: number[], values: number[]): string {
    const bytes = Buffer.from(Int32Array.from(values).buffer)
    return this.constant({ name, shape, dtype: 'int32', bytes })
  }

  weight(name: string, shape: number[], stored: Stored = 'float32'): string {
    const values = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => this.#random() * 2 - 1)
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

  /** Mean of each channel; turns any image into class values. */
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

/** Writes a model folder. @param classes number of outputs */
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

/** Model folders by the case they cover; each call writes one. */
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
  'pools, zeros around an image, and branches joined': network(11, 7, (net) => {
    const pool = (name: string, op: string, input: string, padding: string) =>
      net.add(name, op, [input], {
        ...float,
        ksize: integers([1, 3, 3, 1]),
        strides: integers([1, 2, 2, 1]),
        padding: { s: base64(padding) },
        data_format: { s: base64('NHWC') },
      })
    const amounts = net.integers('amounts', [4, 2], [0, 0, 1, 2, 3, 0, 0, 0])
    const padded = net.add('padded', 'Pad', ['image', amounts], { ...float, Tpaddings: int })
    const stem = net.convolution('stem', padded, [3, 3, 3, 4], { padding: 'VALID' })
    const branches = [
      pool('max', 'MaxPool', stem, 'SAME'),
      pool('average', 'AvgPool', net.convolution('other', stem, [1, 1, 4, 3]), 'SAME'),
      net.integers('axis', [], [-1]),
    ]
    const joined = net.add('joined', 'ConcatV2', branches, { ...float, Tidx: int, N: { i: '2' } })
    const highest = [pool('valid', 'MaxPool', joined, 'VALID'), net.integers('spatial', [2], [1, 2])]
    net.add('highest', 'Max', highest, { ...float, Tidx: int, keep_dims: { b: false } })
  }),
  'a batch norm on its own, products, and shapes': network(6, 9, (net) => {
    const values = ['gamma', 'beta', 'moving'].map((name) => net.weight(name, [3]))
    const variance = Buffer.from(Float32Array.of(0.5, 1, 2).buffer)
    values.push(net.constant({ name: 'variance', shape: [3], dtype: 'float32', bytes: variance }))
    const normed = net.add('normed', 'FusedBatchNormV3', ['image', ...values], {
      ...{ ...float, U: { type: 'DT_FLOAT' }, epsilon: { f: 0.01 }, is_training: { b: false } },
      data_format: { s: base64('NHWC') },
    })
    const leaky = net.add('leaky', 'LeakyRelu', [normed], { ...float, alpha: { f: 0.3 } })
    const gate = net.add('gate', 'Sigmoid', [net.mean(leaky, true)], float)
    const excited = net.add('excited', 'Mul', [leaky, gate], float)
    const half = net.weight('half', [1, 1, 1, 3])
    const less = net.add(
      'less',
      'Sub',
      [net.add('divided', 'RealDiv', [excited, 'variance'], float), gate],
      float,
    )
    const bounded = net.add(
      'lower',
      'Minimum',
      [net.add('upper', 'Maximum', [less, half], float), excited],
      float,
    )
    const pooled = [bounded, net.integers('spatial', [2], [1, 2])]
    const kept = net.add('pooled', 'Mean', pooled, { ...float, Tidx: int, keep_dims: { b: true } })
    const wide = net.convolution('wide', kept, [1, 1, 3, 9], { fused: ['BiasAdd'] })
    const squeezed = net.add('squeezed', 'Squeeze', [wide], { ...float, squeeze_dims: integers([1, 2]) })
    const functions = ['Elu', 'Selu', 'Softplus', 'Tanh']
    const last = functions.reduce((input, op) => net.add(op.toLowerCase(), op, [input], float), squeezed)
    const shape = net.integers('shape', [3], [-1, 3, 3])
    const square = net.add('square', 'Reshape', [last, shape], { ...float, Tshape: int })
    net.add('flat', 'Reshape', [square, net.integers('end', [2], [-1, 9])], { ...float, Tshape: int })
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

const shard = 'group1-shard1of1.bin'

/** A model folder with a change that makes it invalid. */
function unfit(change: (folder: string) => void): () => string {
  return () => {
    const [write = () => ''] = Object.values(smallNetworks)
    const folder = write()
    change(folder)
    return folder
  }
}

/** @param change mutates the parsed file */
function changeJson<T>(folder: string, name: string, change: (json: T) => void): void {
  const path = join(folder, name)
  const json = JSON.parse(readFileSync(path, 'utf8')) as T
  change(json)
  writeFileSync(path, JSON.stringify(json))
}

interface ModelJson {
  weightsManifest: { weights: { name: string; shape: number[] }[] }[]
}

const withShape = (weight: string, shape: number[]) =>
  unfit((folder) =>
    changeJson<ModelJson>(folder, 'model.json', ({ weightsManifest }) => {
      for (const one of weightsManifest.flatMap(({ weights }) => weights))
        if (one.name === weight) one.shape = shape
    }),
  )

/** A network with an operation that no engine supports. */
export const unknownNetwork = network(8, 3, (net) => {
  net.mean(net.add('oracle', 'Divine', ['image'], float))
})

interface Unfit {
  write: () => string | Promise<string>
  /** The error message must match. */
  named: RegExp
}

/** Model folders that the compiler must reject. */
export const unfitNetworks: Record<string, Unfit> = {
  'a kernel is too large': { write: withShape('third/kernel', [1, 1, 6, 9]), named: /third\// },
  'a kernel has too few axes': { write: withShape('first/kernel', [9, 3, 6]), named: /first\/kernel/ },
  'a kernel is for other channels': {
    write: withShape('first/kernel', [3, 3, 6, 3]),
    named: /first\/kernel/,
  },
  'a bias is for other channels': { write: withShape('first/bias', [2, 3]), named: /first\/bias/ },
}

const wrongChecksum = (file: string): Unfit => ({
  write: unfit((folder) =>
    changeJson<{ checksums: object }>(folder, 'whisklens.json', (description) => {
      description.checksums = { [file]: '0'.repeat(64) }
    }),
  ),
  named: new RegExp(`${file} has the wrong checksum`),
})

const unfitGraphs: Record<string, Unfit> = {
  'an operation that it does not know': { write: unknownNetwork, named: /Divine/ },
  'a shard is missing': { write: unfit((folder) => rmSync(join(folder, shard))), named: /group1-shard1of1/ },
  'a shard is cut off': {
    write: unfit((folder) => truncateSync(join(folder, shard), 100)),
    named: /end within first\/kernel/,
  },
  'a checksum is of another file': wrongChecksum(shard),
  'layers that were not compiled': {
    write: unfit((folder) =>
      changeJson<{ modelTopology: object }>(folder, 'model.json', (model) => {
        model.modelTopology = { class_name: 'Sequential', config: { layers: [] } }
      }),
    ),
    named: /layers model, which no engine runs.*whisklens model add/s,
  },
}

const unfitOnnx: Record<string, Unfit> = {
  'model.onnx is missing': { write: unfit(() => {}), named: /no model\.onnx.*whisklens model add/s },
  'model.onnx is cut off': {
    write: async () => {
      const folder = await compiled(unfit(() => {})())
      truncateSync(join(folder, 'model.onnx'), 300)
      return folder
    },
    named: /cannot be used/,
  },
  'a checksum is of another file': wrongChecksum('labels.json'),
}

/** Model folders that an engine must reject. */
export const unfitFor = (engine: string): [string, Unfit][] =>
  Object.entries(engine === 'onnx' ? unfitOnnx : unfitGraphs)
