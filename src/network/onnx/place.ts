import { InvalidInputError } from '../../errors'
import type { GraphNode } from '../graph'
import { textsAttribute } from '../graph'
import type { Weight } from '../weights'
import type { OnnxGraph } from './graph'

/** A node to translate, and its context. */
export interface Place {
  node: GraphNode
  graph: OnnxGraph
  /** Number of inputs. */
  inputs: number
  /** Translates an input. */
  input(index: number): string
  /** The weight of this node, or of an input. */
  weight(index?: number): Weight
}

/** Translates a node. @returns its output tensor */
export type Translate = (place: Place) => string

export function refuse({ name, op }: GraphNode, detail?: string): never {
  throw new InvalidInputError(
    'model_unsupported',
    `ONNX does not support ${detail ? `${detail} of ` : ''}the operation ${op} (${name})`,
  )
}

export const allInputs = ({ inputs, input }: Place): string[] =>
  Array.from({ length: inputs }, (_, index) => input(index))

type Activation = (graph: OnnxGraph, input: string) => string

const same =
  (op: string): Activation =>
  (graph, input) =>
    graph.add(op, [input])

/** Activation functions. */
export const activations = new Map<string, Activation>([
  ['Relu', same('Relu')],
  ['Relu6', (graph, input) => graph.add('Clip', [input, graph.scalar(0), graph.scalar(6)])],
  ...['Elu', 'Selu', 'Sigmoid', 'Softmax', 'Softplus', 'Tanh'].map((op) => [op, same(op)] as const),
])

/** Applies the activation of a fused operation. */
export function activate({ node, graph }: Place, input: string): string {
  const steps = textsAttribute(node, 'fused_ops').filter((step) => step !== 'BiasAdd')
  return steps.reduce((output, step) => (activations.get(step) ?? refuse(node, step))(graph, output), input)
}
