import { InvalidInputError } from '../../errors'
import type { GraphNode } from '../graph'
import { textsAttribute } from '../graph'
import type { Weight } from '../weights'
import type { OnnxGraph } from './graph'

/** A node, and where it is translated to. */
export interface Place {
  node: GraphNode
  graph: OnnxGraph
  /** How many nodes it reads. */
  inputs: number
  /** Translates the node that it reads as its input of that number. */
  input(index: number): string
  /** The weight that this node stands for, or the node it reads. */
  weight(index?: number): Weight
}

/** Translates a node. @returns the tensor that stands for its output */
export type Translate = (place: Place) => string

export function refuse({ name, op }: GraphNode, detail?: string): never {
  throw new InvalidInputError(
    'model_unsupported',
    `onnx cannot run ${detail ? `${detail} of ` : ''}the operation ${op} (${name})`,
  )
}

export const allInputs = ({ inputs, input }: Place): string[] =>
  Array.from({ length: inputs }, (_, index) => input(index))

type Activation = (graph: OnnxGraph, input: string) => string

const same =
  (op: string): Activation =>
  (graph, input) =>
    graph.add(op, [input])

/** Functions of one tensor. */
export const activations = new Map<string, Activation>([
  ['Relu', same('Relu')],
  ['Relu6', (graph, input) => graph.add('Clip', [input, graph.scalar(0), graph.scalar(6)])],
  ...['Elu', 'Selu', 'Sigmoid', 'Softmax', 'Softplus', 'Tanh'].map((op) => [op, same(op)] as const),
])

/** What a fused operation does after it has added its bias. */
export function activate({ node, graph }: Place, input: string): string {
  const steps = textsAttribute(node, 'fused_ops').filter((step) => step !== 'BiasAdd')
  return steps.reduce((output, step) => (activations.get(step) ?? refuse(node, step))(graph, output), input)
}
