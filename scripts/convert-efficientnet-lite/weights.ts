import { InvalidInputError } from '../../src/errors'
import { batchNormEpsilon } from './architecture'
import type { Tensor } from './torch-pickle'

/** A convolution (or dense layer) with its bias, in TensorFlow's layout and double precision. */
export interface Layer {
  /** `[height, width, in, out]`, `[height, width, channels, 1]` for depthwise, `[in, out]` for dense. */
  kernelShape: number[]
  kernel: Float64Array
  bias: Float64Array
}

/** Counters used only in PyTorch's training loop. */
const isCounter = (name: string): boolean => name.endsWith('.num_batches_tracked')

/** Indexes without bounds checks; a NaN would be refused when the weights are encoded. */
const at = (values: Float64Array, index: number): number => values[index] ?? Number.NaN

/** Transposes a row-major tensor: axis `axes[i]` of `shape` becomes axis `i` of the result. */
export function transpose(values: Float64Array, shape: number[], axes: number[]): Float64Array {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((size, length) => size * length, 1))
  return Float64Array.from({ length: values.length }, (_, position) => {
    let index = 0
    let rest = position
    for (const axis of [...axes].reverse()) {
      const length = shape[axis] ?? 1
      index += (rest % length) * (strides[axis] ?? 0)
      rest = Math.floor(rest / length)
    }
    return at(values, index)
  })
}

/** The weights of a checkpoint; tracks which have been taken. */
export class Weights {
  readonly #left: Map<string, Tensor>

  constructor(checkpoint: ReadonlyMap<string, Tensor>) {
    this.#left = new Map([...checkpoint].filter(([name]) => !isCounter(name)))
  }

  #take(name: string, shape: number[]): Float64Array {
    const tensor = this.#left.get(name)
    if (!tensor || !(tensor.values instanceof Float32Array)) {
      throw new InvalidInputError('bad_model', `Expected the weight ${name} in the checkpoint`)
    }
    if (tensor.shape.join() !== shape.join()) {
      throw new InvalidInputError(
        'bad_model',
        `Expected ${name} to have the shape [${shape}], it has [${tensor.shape}]`,
      )
    }
    this.#left.delete(name)
    return Float64Array.from(tensor.values)
  }

  /**
   * A convolution with the following batch norm folded in. `y = γ·(w∗x − μ)/√(σ² + ε) + β` is one convolution with kernel `w·s` and bias
   * `β − μ·s`, where `s = γ/√(σ² + ε)`. Padding is unaffected, because both apply after it.
   *
   * @param shape of the kernel in PyTorch's layout, `[out, in, height, width]`; `in` is 1 for depthwise
   */
  convolution(name: string, batchNorm: string, shape: [number, number, number, number]): Layer {
    const [channels, depth, height, width] = shape
    const kernel = this.#take(`${name}.weight`, shape)
    const [gamma, beta, mean, variance] = [
      this.#take(`${batchNorm}.weight`, [channels]),
      this.#take(`${batchNorm}.bias`, [channels]),
      this.#take(`${batchNorm}.running_mean`, [channels]),
      this.#take(`${batchNorm}.running_var`, [channels]),
    ]
    const scale = gamma.map((value, channel) => value / Math.sqrt(at(variance, channel) + batchNormEpsilon))
    const perChannel = kernel.length / channels
    const scaled = kernel.map((value, index) => value * at(scale, Math.floor(index / perChannel)))
    const bias = beta.map((value, channel) => value - at(mean, channel) * at(scale, channel))
    return depth === 1
      ? { kernelShape: [height, width, channels, 1], kernel: transpose(scaled, shape, [2, 3, 0, 1]), bias }
      : {
          kernelShape: [height, width, depth, channels],
          kernel: transpose(scaled, shape, [2, 3, 1, 0]),
          bias,
        }
  }

  /** A dense layer from `inputs` to `outputs` features. */
  dense(name: string, inputs: number, outputs: number): Layer {
    const kernel = this.#take(`${name}.weight`, [outputs, inputs])
    const bias = this.#take(`${name}.bias`, [outputs])
    return { kernelShape: [inputs, outputs], kernel: transpose(kernel, [outputs, inputs], [1, 0]), bias }
  }

  /** Call when the network is complete: a leftover weight means that the network differs. */
  expectAllTaken(): void {
    if (this.#left.size === 0) return
    throw new InvalidInputError(
      'bad_model',
      `Expected no weights beyond the network's, found ${[...this.#left.keys()].join(', ')}`,
    )
  }
}
