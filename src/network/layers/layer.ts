import * as z from 'zod'
import { InvalidInputError } from '../../errors'
import type { NetworkBuilder } from '../builder'

/** Output of a layer. */
export interface Tensor {
  /** Node that computes it. */
  node: string
  /** Without the batch axis. */
  shape: number[]
  /** Input and padding, if it is the output of a zero padding layer. */
  padded?: { tensor: Tensor; padding: Padding }
}

export type Padding = [[number, number], [number, number]]

/** A layer to convert to nodes. */
export interface Layer {
  name: string
  /** Keras class name. */
  kind: string
  config: unknown
  inputs: Tensor[]
  graph: NetworkBuilder
  /**
   * Adds the node of one of its weights.
   * @throws InvalidInputError if there is none with that name and shape
   */
  weight(name: string, shape: number[]): string
  /** Values of one of its weights, without a node. */
  values(name: string, shape: number[]): Float32Array
}

/** Converts a layer to nodes. @throws InvalidInputError */
export type WriteLayer = (layer: Layer) => Tensor

const nameOf = ({ name, kind }: Pick<Layer, 'name' | 'kind'>): string => `The layer ${name} (${kind})`

/** @throws InvalidInputError naming the layer */
export function refuse(layer: Pick<Layer, 'name' | 'kind'>, why: string): never {
  throw new InvalidInputError('model_unsupported', `${nameOf(layer)} ${why}`)
}

/** Parses the config of a layer. @throws InvalidInputError naming the layer */
export function configOf<T>(layer: Pick<Layer, 'name' | 'kind' | 'config'>, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(layer.config)
  return parsed.success ? parsed.data : refuse(layer, `is not valid: ${z.prettifyError(parsed.error)}`)
}

/** The single input of a layer. @param rank required number of axes, without the batch axis */
export function inputOf(layer: Pick<Layer, 'name' | 'kind' | 'inputs'>, rank?: number): Tensor {
  const [input, ...others] = layer.inputs
  if (!input || others.length > 0) return refuse(layer, `has ${layer.inputs.length} inputs, expected one`)
  if (rank === undefined || input.shape.length === rank) return input
  return refuse(layer, `has an input of shape [${input.shape}], expected ${rank} axes`)
}

/** Number of values in a tensor. */
export const lengthOf = (shape: number[]): number => shape.reduce((product, length) => product * length, 1)
