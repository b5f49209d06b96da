import * as z from 'zod'
import { InvalidInputError } from '../errors'
import type { Weights } from '../model-folder/graph-model'

/*
 * Reads GraphDef JSON, with bytes as base64 and 64-bit integers as strings.
 */

export const nodeSchema = z.object({
  name: z.string(),
  op: z.string(),
  input: z.array(z.string()).default([]),
  attr: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
})

/** One operation of a network. */
export type GraphNode = z.infer<typeof nodeSchema>

/** Outputs of a graph. */
export const signatureSchema = z.looseObject({
  outputs: z.record(z.string(), z.looseObject({ name: z.string() })),
})

/** A TensorFlow graph in the format of TensorFlow.js, from which the files of all engines are written. */
export interface Network extends Weights {
  /** GraphDef as JSON. */
  topology: { [key: string]: unknown; node: GraphNode[] }
  signature: z.infer<typeof signatureSchema> | undefined
  /** Side of the square input, pixels. */
  size: number
}

const text = (value: unknown): string => Buffer.from(String(value), 'base64').toString()

function list({ attr }: GraphNode, name: string, type: 'i' | 's'): unknown[] {
  const lists = attr[name]?.list as Partial<Record<'i' | 's', unknown[]>> | undefined
  return lists?.[type] ?? []
}

/** Attributes of the named type; undefined or empty if missing. */
export const textAttribute = ({ attr }: GraphNode, name: string): string | undefined =>
  attr[name]?.s === undefined ? undefined : text(attr[name].s)
export const numberAttribute = ({ attr }: GraphNode, name: string): number | undefined =>
  attr[name]?.f === undefined ? undefined : Number(attr[name].f)
export const flagAttribute = ({ attr }: GraphNode, name: string): boolean => attr[name]?.b === true
export const textsAttribute = (node: GraphNode, name: string): string[] => list(node, name, 's').map(text)
export const integersAttribute = (node: GraphNode, name: string): number[] =>
  list(node, name, 'i').map(Number)

const lengthsOf = (shape: unknown): number[] | undefined =>
  (shape as { dim?: { size?: unknown }[] } | undefined)?.dim?.map(({ size }) => Number(size))

/** Lengths of a node's axes, -1 for any length; undefined if not stated. */
export const shapeAttribute = ({ attr }: GraphNode): number[] | undefined => lengthsOf(attr.shape?.shape)

/** As {@link shapeAttribute}, for an output in the signature. */
export const outputShape = ({ signature }: Network, output: string): number[] | undefined =>
  lengthsOf(
    Object.values(signature?.outputs ?? {}).find(({ name }) => nodeName(name) === output)?.tensorShape,
  )

/** `stem:0`, the first output of the node `stem`, is also written `stem`. */
const nodeName = (output: string): string => output.replace(/:0$/, '')

/** Inputs of a node, without control dependencies. */
export const inputsOf = ({ input }: GraphNode): string[] =>
  input.filter((name) => !name.startsWith('^')).map(nodeName)

/**
 * The input node.
 * @throws InvalidInputError if there is not exactly one
 */
export function inputOf({ topology }: Network): GraphNode {
  const [input, ...others] = topology.node.filter(({ op }) => op === 'Placeholder')
  if (input && others.length === 0) return input
  throw new InvalidInputError(
    'model_unsupported',
    `Expected a network with one input, found ${input ? others.length + 1 : 0}`,
  )
}

/** Output nodes: those in the signature, else those that no other node reads. */
export function outputsOf({ topology: { node }, signature }: Network): string[] {
  if (signature) return Object.values(signature.outputs).map(({ name }) => nodeName(name))
  const read = new Set(node.flatMap(inputsOf))
  return node.map(({ name }) => name).filter((name) => !read.has(name))
}

/** Names of nodes and of all that they depend on. */
export function dependenciesOf(nodes: ReadonlyMap<string, GraphNode>, names: string[]): Set<string> {
  const read = new Set<string>()
  const follow = (name: string): void => {
    const node = nodes.get(name)
    if (!node || read.has(name)) return
    read.add(name)
    inputsOf(node).forEach(follow)
  }
  names.forEach(follow)
  return read
}
