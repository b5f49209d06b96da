import { findEngine } from '../../src/classifier/engines'
import type { Predictor } from '../../src/classifier/engines/engine'
import type { EngineName } from '../../src/classifier/engines/names'
import type { Network } from '../../src/network/graph'
import { networkFiles } from '../../src/network/write'

/** Makes a network that is in memory ready to run. */
export const loadNetwork = (engine: EngineName, network: Network): Promise<Predictor> =>
  findEngine(engine).load({ files: networkFiles(network), path: 'memory', input: { size: network.size } })
