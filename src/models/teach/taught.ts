import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Network } from '../../classifier/network'
import { NetworkBuilder, ofFloats, ofIntegers, texts } from '../../classifier/network-builder'
import { outputsOf } from '../../classifier/network-graph'
import type { Description } from '../describe'
import { writeNetwork } from '../write'
import type { BaseModel } from './embedding'
import type { Head } from './head'

/** A network that ends in a vector, with a head on it: as every other classifier. */
export function withHead(embedding: Network, { kernel, bias }: Head): Network {
  const graph = new NetworkBuilder(embedding)
  const labels = bias.length
  const width = kernel.length / labels
  const [vector = ''] = outputsOf(embedding)
  // Some networks keep their vector as an image of one pixel.
  const shape = graph.constant('taught/shape', [2], Int32Array.of(-1, width))
  const attributes = { ...ofFloats, ...ofIntegers('Tshape') }
  const flat = graph.add('taught/vector', 'Reshape', [vector, shape], attributes)
  const parameters = [
    graph.constant('taught/kernel', [width, labels], kernel),
    graph.constant('taught/bias', [labels], bias),
  ]
  const logits = graph.add('taught/logits', '_FusedMatMul', [flat, ...parameters], {
    ...ofFloats,
    num_args: { i: '1' },
    fused_ops: texts(['BiasAdd']),
    epsilon: { f: 0 },
    transpose_a: { b: false },
    transpose_b: { b: false },
  })
  const probabilities = graph.add('taught/probabilities', 'Softmax', [logits], ofFloats)
  return graph.network(embedding.size, probabilities, [labels])
}

/**
 * Writes a model that was taught labels into an empty folder, all but `whisklens.json`.
 * @returns what is to stand in `whisklens.json`
 */
export async function writeTaught(
  folder: string,
  {
    id,
    base,
    network,
    labels,
    images,
  }: {
    id: string
    base: BaseModel
    network: Network
    labels: string[]
    /** How many it was taught on. */
    images: number
  },
): Promise<Description> {
  await writeNetwork(folder, network)
  const classes = labels.map((className) => ({ className }))
  await writeFile(join(folder, 'labels.json'), `${JSON.stringify(classes)}\n`)
  return {
    schema: 'whisklens.model/1',
    id,
    task: 'classification',
    format: 'graph-model',
    input: base.description.input,
    labels: 'labels.json',
    license: base.description.license,
    description: `${labels.length} labels taught on ${images} photos`,
    source: `whisklens teach, on ${base.version}`,
  }
}
