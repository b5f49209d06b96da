import * as z from 'zod'
import { InvalidInputError } from '../errors'
import type { StoredModel } from '../model-folder/graph-model'
import { type Network, nodeSchema, signatureSchema } from './graph'
import { checkShapes } from './shapes'

const graphSchema = z.object({
  topology: z.looseObject({ node: z.array(nodeSchema) }),
  signature: signatureSchema.optional(),
})

/** @throws InvalidInputError naming what does not match the schema */
export function parseTopology<T>(schema: z.ZodType<T>, value: unknown, folder: string): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new InvalidInputError(
    'bad_model',
    `The network in ${folder} is not valid: ${z.prettifyError(parsed.error)}`,
  )
}

/**
 * Parses the graph in stored files.
 * @param size side of the square input, pixels
 * @param folder of the files, for error messages
 * @throws InvalidInputError if it is invalid, or a weight does not fit
 */
export function readGraph(
  { weightSpecs, weights, ...graph }: StoredModel,
  size: number,
  folder: string,
): Network {
  const { topology, signature } = parseTopology(graphSchema, graph, folder)
  const network = { topology, signature, weightSpecs, weights, size }
  checkShapes(network)
  return network
}
