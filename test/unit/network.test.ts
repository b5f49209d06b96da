import { InvalidInputError } from '../../src/errors'
import { readModelFolder } from '../../src/model-folder/folder'
import { readGraphModel, type WeightSpec } from '../../src/model-folder/graph-model'
import { toFloat16 } from '../../src/network/float16'
import type { GraphNode, Network } from '../../src/network/graph'
import { inputOf, outputsOf } from '../../src/network/graph'
import { toOnnx } from '../../src/network/onnx/write'
import { readNetwork } from '../../src/network/read'
import { toSavedModel } from '../../src/network/saved-model'
import { floatsOf, integersOf, weightsOf } from '../../src/network/weights'
import { networkOf } from '../helpers/network'
import { removeSmallNetworks, unfitNetworks } from '../helpers/small-networks'

const node = (name: string, op: string, input: string[] = [], attr: GraphNode['attr'] = {}): GraphNode => ({
  ...{ name, op, input, attr },
})

const withWeights = (weightSpecs: WeightSpec[], values: ArrayBufferView): Network =>
  networkOf([], { weightSpecs, weights: Uint8Array.from(Buffer.from(values.buffer)) })

describe('weights', () => {
  it('in float16 are the rounded values', () => {
    const finite = Array.from({ length: 65536 }, (_, bits) => bits).filter((bits) => ((bits >> 10) & 31) < 31)
    const spec: WeightSpec = {
      ...{ name: 'w', shape: [finite.length], dtype: 'float32', quantization: { dtype: 'float16' } },
    }
    const [weight] = weightsOf(withWeights([spec], Uint16Array.from(finite)))
    const floats = weight ? floatsOf(weight) : []
    expect(Array.from(floats, toFloat16).map((bits, index) => [index, bits])).toEqual(
      // Negative zero is written as zero.
      finite.map((bits, index) => [index, bits === 0x8000 ? 0 : bits]),
    )
  })

  it('are contiguous, at any address', () => {
    const specs: WeightSpec[] = [
      { name: 'odd', shape: [3], dtype: 'float32', quantization: { dtype: 'uint8', scale: 0.5, min: -1 } },
      { name: 'axes', shape: [2], dtype: 'int32' },
      { name: 'scalar', shape: [], dtype: 'float32' },
    ]
    const raw = Buffer.concat([
      Buffer.of(0, 2, 255),
      Buffer.from(Int32Array.of(-1, 2).buffer),
      Buffer.from(Float32Array.of(0.25).buffer),
    ])
    const [odd, axes, scalar] = weightsOf(
      networkOf([], { weightSpecs: specs, weights: Uint8Array.from(raw) }),
    )
    if (!odd || !axes || !scalar) throw new Error('A weight is missing')
    expect(Array.from(floatsOf(odd))).toEqual([-1, 0, 126.5])
    expect(integersOf(axes)).toEqual([-1, 2])
    expect(Array.from(floatsOf(scalar))).toEqual([0.25])
  })

  it('that are truncated are refused when their folder is read', async () => {
    const { files } = await readModelFolder('efficientnet-lite0')
    const name = 'group1-shard3of3.bin'
    const cut = new Map<string, Uint8Array>(files).set(name, files.get(name)?.subarray(0, -1) ?? Buffer.of())
    expect(() => readGraphModel(files, 'whole')).not.toThrow()
    expect(() => readGraphModel(cut, 'cut')).toThrow(/^The weights end within \S+$/)
  })

  it('that are truncated or not numbers are refused by name', () => {
    const cut = withWeights([{ name: 'stem/kernel', shape: [3], dtype: 'float32' }], Float32Array.of(1, 2))
    expect(() => weightsOf(cut)).toThrow('stem/kernel')
    const texts = withWeights([{ name: 'words', shape: [1], dtype: 'string' }], Float32Array.of(1))
    expect(() => weightsOf(texts)).toThrow(InvalidInputError)
  })
})

describe('a graph', () => {
  const image = node('image', 'Placeholder')
  const left = node('left', 'Relu', ['image'])
  const right = node('right', 'Relu', ['image:0', '^left'])

  it('ends with the outputs of its signature, in order', () => {
    const signature = { outputs: { b: { name: 'right:0' }, a: { name: 'left' } } }
    expect(outputsOf(networkOf([image, left, right], { signature }))).toEqual(['right', 'left'])
  })

  it('ends with unread nodes without a signature', () => {
    expect(outputsOf(networkOf([image, left, right]))).toEqual(['left', 'right'])
  })

  it('has one input', () => {
    expect(inputOf(networkOf([image, left])).name).toBe('image')
    expect(() => inputOf(networkOf([left]))).toThrow('found 0')
    expect(() => inputOf(networkOf([image, node('other', 'Placeholder')]))).toThrow('found 2')
  })
})

describe('networks that another engine cannot run are refused, naming the node', () => {
  const image = node('image', 'Placeholder')
  const text = (value: string) => Buffer.from(value).toString('base64')
  const convolution = (attr: GraphNode['attr']): Network => {
    const weightSpecs: WeightSpec[] = [{ name: 'kernel', shape: [1, 1, 3, 1], dtype: 'float32' }]
    const nodes = [image, node('kernel', 'Const'), node('stem', '_FusedConv2D', ['image', 'kernel'], attr)]
    return networkOf(nodes, { weightSpecs, weights: new Uint8Array(12) })
  }

  it.each([
    ['an operation', networkOf([image, node('oracle', 'Divine', ['image'])]), 'Divine (oracle)'],
    ['a node that is not there', networkOf([image, node('relu', 'Relu', ['nowhere'])]), 'nowhere'],
    ['a constant without weights', networkOf([image, node('lost', 'Const')]), 'lost'],
    ['a padding', convolution({ padding: { s: text('EXPLICIT') } }), 'stem'],
    ['a format', convolution({ padding: { s: text('SAME') }, data_format: { s: text('NCHW') } }), 'stem'],
    [
      'a fused step',
      convolution({ padding: { s: text('SAME') }, fused_ops: { list: { s: [text('Prelu')] } } }),
      'Prelu',
    ],
  ])('onnx: %s', (_, refused, named) => {
    expect(() => toOnnx(refused)).toThrow(InvalidInputError)
    expect(() => toOnnx(refused)).toThrow(named)
  })

  it('an unknown operation is distinguished from a damaged network', () => {
    const codeOf = (...nodes: GraphNode[]) => {
      try {
        toOnnx(networkOf([image, ...nodes]))
      } catch (thrown) {
        return (thrown as InvalidInputError).code
      }
    }
    expect(codeOf(node('oracle', 'Divine', ['image']))).toBe('model_unsupported')
    expect(codeOf(node('relu', 'Relu', ['nowhere']))).toBe('bad_model')
  })

  it.each([
    ['a constant without weights', networkOf([image, node('lost', 'Const')]), 'lost'],
    ['an attribute', networkOf([image, node('loop', 'While', ['image'], { body: { func: {} } })]), 'loop'],
  ])('TensorFlow: %s', (_, refused, named) => {
    expect(() => toSavedModel(refused)).toThrow(InvalidInputError)
    expect(() => toSavedModel(refused)).toThrow(named)
  })
})

describe('an inconsistent network is refused, naming the weight', () => {
  afterAll(removeSmallNetworks)

  it.each(Object.entries(unfitNetworks))('%s', async (_, { write, named }) => {
    const { files } = await readModelFolder(await write())
    expect(() => readNetwork(files, 8, 'unfit')).toThrow(InvalidInputError)
    expect(() => readNetwork(files, 8, 'unfit')).toThrow(named)
  })
})
