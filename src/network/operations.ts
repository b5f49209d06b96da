import { integers, type NetworkBuilder, ofFloats, ofIntegers, text, texts } from './builder'

/*
 * Operations in the form that engines run best, with fused bias and activation.
 */

/** Names of constants. */
export interface Parameters {
  kernel: string
  bias: string
}

/** Sliding window over an image, padded with TensorFlow's SAME. */
export interface Steps {
  stride?: number
  activation?: 'Relu' | 'Relu6'
}

const fused = (activation?: string) => ({
  ...ofFloats,
  num_args: { i: '1' },
  fused_ops: texts(activation ? ['BiasAdd', activation] : ['BiasAdd']),
  epsilon: { f: 0 },
})

const convolve =
  (op: string) =>
  (
    graph: NetworkBuilder,
    name: string,
    input: string,
    { kernel, bias }: Parameters,
    { stride = 1, activation }: Steps = {},
  ): string =>
    graph.add(name, op, [input, kernel, bias], {
      ...fused(activation),
      strides: integers([1, stride, stride, 1]),
      padding: text('SAME'),
      explicit_paddings: { list: {} },
      data_format: text('NHWC'),
      dilations: integers([1, 1, 1, 1]),
    })

/** `[n, h, w, in]` → `[n, ⌈h/stride⌉, ⌈w/stride⌉, out]` */
export const convolution = convolve('_FusedConv2D')

/** `[n, h, w, c]` → `[n, ⌈h/stride⌉, ⌈w/stride⌉, c]` */
export const depthwise = convolve('FusedDepthwiseConv2dNative')

/** `[n, in]` → `[n, out]` */
export const dense = (
  graph: NetworkBuilder,
  name: string,
  input: string,
  { kernel, bias }: Parameters,
): string =>
  graph.add(name, '_FusedMatMul', [input, kernel, bias], {
    ...fused(),
    transpose_a: { b: false },
    transpose_b: { b: false },
  })

/** `[n, h, w, c]` → `[n, c]` */
export function spatialMean(graph: NetworkBuilder, name: string, input: string): string {
  const axes = graph.constant(`${name}/axes`, [2], Int32Array.of(1, 2))
  return graph.add(name, 'Mean', [input, axes], {
    ...ofFloats,
    ...ofIntegers('Tidx'),
    keep_dims: { b: false },
  })
}
