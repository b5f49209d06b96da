import * as z from 'zod'
import { InvalidInputError } from '../../errors'
import type { NetworkBuilder } from '../builder'

/** What a layer gives. */
export interface Tensor {
  /** The node whose output it is. */
  node: string
  /** Without the axis of the images. */
  shape: number[]
  /** What zeros were put around to make it: rows above and below, columns left and right. */
  padded?: { tensor: Tensor; padding: Padding }
}

export type Padding = [[number, number], [number, number]]

/** One layer of a model, to be written as nodes. */
export interface Layer {
  name: string
  /** Keras' name of its class. */
  kind: string
  config: unknown
  inputs: Tensor[]
  graph: NetworkBuilder
  /**
   * The node of one of its weights.
   * @throws InvalidInputError when there is none of that name and shape
   */
  weight(name: string, shape: number[]): string
  /** The values of one of its weights, which need no node. */
  values(name: string, shape: number[]): Float32Array
}

/** Writes the nodes of a layer. @throws InvalidInputError when it cannot */
export type WriteLayer = (layer: Layer) => Tensor

const nameOf = ({ name, kind }: Pick<Layer, 'name' | 'kind'>): string => `The layer ${name} (${kind})`

/** @throws InvalidInputError naming the layer */
export function refuse(layer: Pick<Layer, 'name' | 'kind'>, why: string): never {
  throw new InvalidInputError('model_unsupported', `${nameOf(layer)} ${why}`)
}

/** @throws InvalidInputError naming the layer, when its settings are none that we know */
export function configOf<T>(layer: Pick<Layer, 'name' | 'kind' | 'config'>, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(layer.config)
  return parsed.success ? parsed.data : refuse(layer, `is not valid: ${z.prettifyError(parsed.error)}`)
}

/** The one tensor that most layers read. @param rank how many axes it must have, that of the images not among them */
export function inputOf(layer: Pick<Layer, 'name' | 'kind' | 'inputs'>, rank?: number): Tensor {
  const [input, ...others] = layer.inputs
  if (!input || others.length > 0) return refuse(layer, `reads ${layer.inputs.length} tensors, expected one`)
  if (rank === undefined || input.shape.length === rank) return input
  return refuse(layer, `reads a tensor of the shape [${input.shape}], expected ${rank} axes`)
}

/** The number of values in a tensor. */
export const lengthOf = (shape: number[]): number => shape.reduce((product, length) => product * length, 1)
