import { dimensions, integers, text, texts } from '../../src/classifier/network-builder'
import type { Layer } from './weights'

type DataType = 'DT_FLOAT' | 'DT_INT32'
type Attribute = Record<string, unknown>

interface Node {
  name: string
  op: string
  input?: string[]
  attr: Record<string, Attribute>
}

/** A weight as it goes into the shards; `values` are stored as float16 or, for integers, as int32. */
export interface GraphWeight {
  name: string
  shape: number[]
  values: Float64Array | Int32Array
}

export type Activation = 'Relu6' | undefined

const type = (value: DataType): Attribute => ({ type: value })

/** Builds the graph of a TF.js graph model node by node; every method returns the name of the node it added. */
export class GraphBuilder {
  readonly nodes: Node[] = []
  readonly weights: GraphWeight[] = []

  #add(name: string, op: string, input: string[], attr: Record<string, Attribute>): string {
    this.nodes.push({ name, op, ...(input.length > 0 && { input }), attr })
    return name
  }

  /** @param shape with -1 for an axis of any size */
  placeholder(name: string, shape: number[]): string {
    return this.#add(name, 'Placeholder', [], {
      dtype: type('DT_FLOAT'),
      shape: { shape: dimensions(shape) },
    })
  }

  constant(name: string, shape: number[], values: GraphWeight['values']): string {
    const dtype: DataType = values instanceof Int32Array ? 'DT_INT32' : 'DT_FLOAT'
    this.weights.push({ name, shape, values })
    return this.#add(name, 'Const', [], {
      dtype: type(dtype),
      value: { tensor: { dtype, tensorShape: dimensions(shape) } },
    })
  }

  /** The inputs and attributes all fused operations share: bias added, then the activation. */
  #fused(name: string, input: string, { kernelShape, kernel, bias }: Layer, activation: Activation) {
    const kernelNode = this.constant(`${name}/kernel`, kernelShape, kernel)
    const biasNode = this.constant(`${name}/bias`, [bias.length], bias)
    return {
      inputs: [input, kernelNode, biasNode],
      attributes: {
        T: type('DT_FLOAT'),
        num_args: { i: '1' },
        fused_ops: texts(activation ? ['BiasAdd', activation] : ['BiasAdd']),
        epsilon: { f: 0 },
      },
    }
  }

  #convolution(
    op: string,
    name: string,
    input: string,
    layer: Layer,
    stride: number,
    activation: Activation,
  ): string {
    const { inputs, attributes } = this.#fused(name, input, layer, activation)
    return this.#add(name, op, inputs, {
      ...attributes,
      strides: integers([1, stride, stride, 1]),
      padding: text('SAME'),
      explicit_paddings: { list: {} },
      data_format: text('NHWC'),
      dilations: integers([1, 1, 1, 1]),
    })
  }

  /** `[n, h, w, in]` → `[n, ⌈h/stride⌉, ⌈w/stride⌉, out]` */
  convolution(name: string, input: string, layer: Layer, stride = 1, activation?: Activation): string {
    return this.#convolution('_FusedConv2D', name, input, layer, stride, activation)
  }

  /** `[n, h, w, c]` → `[n, ⌈h/stride⌉, ⌈w/stride⌉, c]` */
  depthwise(name: string, input: string, layer: Layer, stride = 1, activation?: Activation): string {
    return this.#convolution('FusedDepthwiseConv2dNative', name, input, layer, stride, activation)
  }

  /** Two tensors of the same shape → their sum. */
  add(name: string, left: string, right: string): string {
    return this.#add(name, 'AddV2', [left, right], { T: type('DT_FLOAT') })
  }

  /** `[n, h, w, c]` → `[n, c]` */
  spatialMean(name: string, input: string): string {
    const axes = this.constant(`${name}/axes`, [2], Int32Array.of(1, 2))
    const attributes = { T: type('DT_FLOAT'), Tidx: type('DT_INT32'), keep_dims: { b: false } }
    return this.#add(name, 'Mean', [input, axes], attributes)
  }

  /** `[n, in]` → `[n, out]` */
  dense(name: string, input: string, layer: Layer): string {
    const { inputs, attributes } = this.#fused(name, input, layer, undefined)
    return this.#add(name, '_FusedMatMul', inputs, {
      ...attributes,
      transpose_a: { b: false },
      transpose_b: { b: false },
    })
  }

  /** Over the last axis. */
  softmax(name: string, input: string): string {
    return this.#add(name, 'Softmax', [input], { T: type('DT_FLOAT') })
  }
}
