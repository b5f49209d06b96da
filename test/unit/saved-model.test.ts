import fc from 'fast-check'
import type { GraphNode, Network } from '../../src/network/graph'
import { toSavedModel } from '../../src/network/saved-model'
import { savedModelType } from '../../src/network/saved-model-proto'
import { networkOf } from '../helpers/network'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

const image: GraphNode = {
  name: 'image',
  op: 'Placeholder',
  input: [],
  attr: { dtype: { type: 'DT_FLOAT' } },
}

/** Writes and reads a SavedModel. @returns its graph as JSON: bytes in base64, 64-bit integers as strings */
function read(network: Partial<Network> & { nodes: GraphNode[] }) {
  const { nodes, ...more } = network
  const bytes = toSavedModel(networkOf(nodes, more))
  const options = { bytes: String, longs: String, enums: String, defaults: false }
  const [graph] = savedModelType.toObject(savedModelType.decode(bytes), options).metaGraphs
  const found = new Map<string, GraphNode>(graph.graphDef.node.map((node: GraphNode) => [node.name, node]))
  return { nodes: found, signature: graph.signatureDef.serving_default, tags: graph.metaInfoDef.tags }
}

it('has float32 weights as inputs, and others as constants with their values', () => {
  const constant = (name: string): GraphNode => ({ name, op: 'Const', input: [], attr: {} })
  const axes = Int32Array.of(1, 2)
  const { nodes, signature, tags } = read({
    nodes: [
      image,
      constant('half'),
      constant('axes'),
      { name: 'product', op: 'Mul', input: ['image', 'half'], attr: { T: { type: 'DT_FLOAT' } } },
      { name: 'mean', op: 'Mean', input: ['product', 'axes'], attr: { T: { type: 'DT_FLOAT' } } },
    ],
    weightSpecs: [
      { name: 'half', shape: [3], dtype: 'float32', quantization: { dtype: 'float16' } },
      { name: 'axes', shape: [2], dtype: 'int32' },
    ],
    weights: new Uint8Array([...new Uint8Array(6), ...new Uint8Array(axes.buffer)]),
  })
  expect(tags).toEqual(['serve'])
  expect(Object.keys(signature.inputs).sort()).toEqual(['half', 'image'])
  expect(signature.outputs).toEqual({ mean: expect.objectContaining({ name: 'mean:0', dtype: 'DT_FLOAT' }) })
  expect(nodes.get('half')).toMatchObject({
    op: 'Placeholder',
    attr: { dtype: { type: 'DT_FLOAT' }, shape: { shape: { dim: [{ size: '3' }] } } },
  })
  expect(nodes.get('axes')).toMatchObject({
    op: 'Const',
    attr: {
      value: {
        tensor: { dtype: 'DT_INT32', tensorContent: base64(String.fromCharCode(1, 0, 0, 0, 2, 0, 0, 0)) },
      },
    },
  })
})

it('splits fused operations, the last part with the name of the whole', () => {
  const float = { T: { type: 'DT_FLOAT' } }
  const attr = {
    ...float,
    fused_ops: { list: { s: ['BiasAdd', 'LeakyRelu'].map(base64) } },
    leakyrelu_alpha: { f: 0.25 },
    num_args: { i: '1' },
    padding: { s: base64('SAME') },
  }
  const inputs = ['kernel', 'bias'].map((name) => ({ ...image, name }))
  const fused = { name: 'stem', op: '_FusedConv2D', input: ['image', 'kernel', 'bias'], attr }
  const { nodes } = read({ nodes: [image, ...inputs, fused] })
  expect(nodes.get('stem')).toMatchObject({
    op: 'LeakyRelu',
    input: ['stem/unfused_1'],
    attr: { ...float, alpha: { f: 0.25 } },
  })
  expect(nodes.get('stem/unfused_1')).toMatchObject({ op: 'BiasAdd', input: ['stem/unfused_0', 'bias'] })
  const convolution = nodes.get('stem/unfused_0')
  expect(convolution).toMatchObject({ op: 'Conv2D', input: ['image', 'kernel'] })
  expect(Object.keys(convolution?.attr ?? {}).sort()).toEqual(['T', 'padding'])
})

it('keeps attributes of every kind', () => {
  const int64 = fc.maxSafeInteger().map(String)
  const bytes = fc.uint8Array({ minLength: 1 }).map((some) => Buffer.from(some).toString('base64'))
  const float = fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)
  const type = fc.constantFrom('DT_FLOAT', 'DT_INT32', 'DT_INT64', 'DT_BOOL', 'DT_HALF')
  const shape = fc.array(fc.record({ size: int64 }), { minLength: 1 }).map((dim) => ({ dim }))
  const attribute = fc.oneof(
    fc.record({ i: int64 }),
    fc.record({ s: bytes }),
    fc.record({ f: float }),
    fc.record({ b: fc.boolean() }),
    fc.record({ type }),
    fc.record({ shape }),
    fc.record({
      list: fc.record({ i: fc.array(int64, { minLength: 1 }), s: fc.array(bytes, { minLength: 1 }) }),
    }),
  )
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[a-z][a-z_]{0,8}$/), attribute), (attr) => {
      const { nodes } = read({ nodes: [image, { name: 'any', op: 'Any', input: ['image'], attr }] })
      expect(nodes.get('any')?.attr ?? {}).toEqual(attr)
    }),
  )
})
