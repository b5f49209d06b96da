import * as z from 'zod'
import { InvalidInputError } from '../errors'
import type { Files } from '../model-folder/folder'
import { readStoredModel, type StoredModel } from '../model-folder/graph-model'
import { type Network, nodeSchema, signatureSchema } from './graph'
import { layersToNetwork } from './layers'
import { topologySchema } from './layers/topology'
import { optimizeNetwork } from './optimize'
import { checkShapes } from './shapes'

const graphSchema = z.object({
  topology: z.looseObject({ node: z.array(nodeSchema) }),
  signature: signatureSchema.optional(),
})

function parse<T>(schema: z.ZodType<T>, value: unknown, folder: string): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new InvalidInputError(`The network in ${folder} is not valid: ${z.prettifyError(parsed.error)}`)
}

/**
 * The network in the files of a model folder. Layers are made a graph, folded and fused.
 * @param size side of the square it sees, pixels
 * @param folder where they are from, for errors
 * @throws InvalidInputError when a file is missing or does not hold what it must, or a weight does not fit
 */
export function readNetwork(files: Files, size: number, folder: string): Network {
  const stored = readStoredModel(files, folder)
  return stored.topology.node ? readGraph(stored, size, folder) : compileLayers(stored, size, folder)
}

function readGraph({ weightSpecs, weights, ...graph }: StoredModel, size: number, folder: string): Network {
  const { topology, signature } = parse(graphSchema, graph, folder)
  const network = { topology, signature, weightSpecs, weights, size }
  checkShapes(network)
  return network
}

const compileLayers = (stored: StoredModel, size: number, folder: string): Network =>
  optimizeNetwork(layersToNetwork(parse(topologySchema, stored.topology, folder), stored, size))
