import type { Files } from '../model-folder/folder'
import { readStoredModel, type StoredModel } from '../model-folder/graph-model'
import type { Network } from './graph'
import { layersToNetwork } from './layers'
import { topologySchema } from './layers/topology'
import { optimizeNetwork } from './optimize'
import { parseTopology, readGraph } from './read-graph'

/**
 * Reads the network in a model folder. Layers are converted to a graph, folded and fused.
 * @param size side of the square input, pixels
 * @param folder of the files, for error messages
 * @throws InvalidInputError if a file is missing or invalid, or a weight does not fit
 */
export function readNetwork(files: Files, size: number, folder: string): Network {
  const stored = readStoredModel(files, folder)
  return stored.topology.node ? readGraph(stored, size, folder) : compileLayers(stored, size, folder)
}

const compileLayers = (stored: StoredModel, size: number, folder: string): Network =>
  optimizeNetwork(layersToNetwork(parseTopology(topologySchema, stored.topology, folder), stored, size))
