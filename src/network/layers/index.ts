import * as z from 'zod'
import { InvalidInputError } from '../../errors'
import { NetworkBuilder } from '../builder'
import type { Network } from '../graph'
import { activations } from './activation'
import { convolutions } from './convolution'
import { configOf, inputOf, refuse, type Tensor, type WriteLayer } from './layer'
import { linear } from './linear'
import { merging } from './merge'
import { pooling } from './pooling'
import { shapes } from './shape'
import { isModel, type LayerJson, type ModelTopology, modelSchema } from './topology'
import { LayerWeights } from './weights'

/*
 * Converts a model of Keras layers to a graph that every engine can run. Batch norms and activations become separate nodes, which
 * are folded and fused later.
 */

const kinds = new Map<string, WriteLayer>(
  [convolutions, linear, activations, pooling, shapes, merging].flatMap((some) => Object.entries(some)),
)

const inputSchema = z.object({
  batch_input_shape: z.array(z.int().nullable()).optional(),
  batch_shape: z.array(z.int().nullable()).optional(),
})

interface Writing {
  graph: NetworkBuilder
  weights: LayerWeights
  /** Side of the square input in the description, pixels. */
  size: number
}

const layerOf = ({ class_name: kind, name, config }: LayerJson) => ({
  kind,
  config,
  name: name ?? (Array.isArray(config) ? undefined : config.name) ?? kind,
})

/** Writes the input layer. @throws InvalidInputError if its size differs from the description */
function writeInput(json: LayerJson, { graph, size }: Writing): Tensor {
  const layer = layerOf(json)
  const { batch_input_shape, batch_shape } = configOf(layer, inputSchema)
  const expected = [size, size, 3]
  const [, ...shape] = batch_input_shape ?? batch_shape ?? [null, ...expected]
  if (shape.length !== 3 || shape.some((length, axis) => length !== null && length !== expected[axis]))
    refuse(layer, `has the input shape [${shape}], but whisklens.json has [${expected}]`)
  return { node: graph.input('image', expected), shape: expected }
}

function writeLayer(json: LayerJson, inputs: Tensor[], writing: Writing): Tensor {
  const layer = layerOf(json)
  const { graph, weights } = writing
  if (isModel(json)) return writeModel(modelIn(json), writing, inputOf({ ...layer, inputs }))
  const write = kinds.get(layer.kind) ?? refuse(layer, 'is of a kind that is not known')
  return write({ ...layer, inputs, graph, ...weights.of(layer, graph) })
}

const modelIn = (json: LayerJson): ModelTopology => configOf({ ...layerOf(json), config: json }, modelSchema)

/** @param given input of a nested model */
const writeModel = (model: ModelTopology, writing: Writing, given?: Tensor): Tensor =>
  model.class_name === 'Sequential'
    ? writeSequence(model.config.layers, writing, given)
    : writeGraph(model.config, writing, given)

function writeSequence([first, ...others]: LayerJson[], writing: Writing, given?: Tensor): Tensor {
  if (!first) throw new InvalidInputError('bad_model', 'The model has no layers')
  const begin = (): Tensor => {
    if (first.class_name === 'InputLayer') return given ?? writeInput(first, writing)
    // A nested model at the start has its own input.
    if (isModel(first)) return writeModel(modelIn(first), writing, given)
    return writeLayer(first, [given ?? writeInput(first, writing)], writing)
  }
  return others.reduce((tensor, json) => writeLayer(json, [tensor], writing), begin())
}

function writeGraph(config: ModelTopology['config'], writing: Writing, given?: Tensor): Tensor {
  onlyOne('input', config.input_layers)
  const layers = new Map(config.layers.map((json) => [layerOf(json).name, json]))
  const written = new Map<string, Tensor>()

  /** Writes the inputs of a layer, then the layer. @param readers layers being written, to detect cycles */
  function write(name: string, readers: string[]): Tensor {
    const known = written.get(name)
    if (known) return known
    const json = layers.get(name)
    if (!json) throw new InvalidInputError('bad_model', `A layer reads ${name}, which does not exist`)
    const [reads = [], ...uses] = json.inbound_nodes
    if (uses.length > 0) refuse(layerOf(json), 'is used more than once')
    if (reads.some(([, , output]) => output > 0)) refuse(layerOf(json), 'reads a second output')
    if (readers.includes(name)) refuse(layerOf(json), 'depends on its own output')
    const inputs = reads.map(([read]) => write(read, [...readers, name]))
    const isInput = json.class_name === 'InputLayer'
    const tensor = isInput ? (given ?? writeInput(json, writing)) : writeLayer(json, inputs, writing)
    written.set(name, tensor)
    return tensor
  }

  return write(onlyOne('output', config.output_layers), [])
}

function onlyOne(what: string, ends: [string, ...unknown[]][] = []): string {
  const [[name] = [], ...others] = ends
  if (name !== undefined && others.length === 0) return name
  throw new InvalidInputError(
    'model_unsupported',
    `Expected a model of layers with one ${what}, found ${ends.length}`,
  )
}

/**
 * Converts a model of layers to a graph.
 * @param size side of the square input, pixels
 * @throws InvalidInputError naming the layer or weight that is missing, unsupported or invalid
 */
export function layersToNetwork(
  topology: ModelTopology,
  stored: Pick<Network, 'weightSpecs' | 'weights'>,
  size: number,
): Network {
  const writing: Writing = { graph: new NetworkBuilder(), weights: new LayerWeights(stored), size }
  const { node, shape } = writeModel(topology, writing)
  writing.weights.expectAllTaken()
  return writing.graph.network(size, node, shape)
}
