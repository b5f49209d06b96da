import { findEngine } from '../../src/classifier/engines'
import type { Predictor } from '../../src/classifier/engines/engine'
import type { EngineName } from '../../src/classifier/engines/names'
import type { GraphNode, Network } from '../../src/network/graph'
import { networkFiles } from '../../src/network/write'

/** A network of nodes; has weights only if `more` does. */
export const networkOf = (nodes: GraphNode[], more: Partial<Network> = {}): Network => ({
  topology: { node: nodes },
  signature: undefined,
  weightSpecs: [],
  weights: new Uint8Array(),
  size: 4,
  ...more,
})

/** Loads an in-memory network for prediction. */
export const loadNetwork = (engine: EngineName, network: Network): Promise<Predictor> =>
  findEngine(engine).load({ files: networkFiles(network), path: 'memory', input: { size: network.size } })
