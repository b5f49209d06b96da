import { InvalidInputError } from '../../errors'
import type { NetworkBuilder } from '../builder'
import type { Network } from '../graph'
import { floatsOf, type Weight, weightsOf } from '../weights'
import { type Layer, refuse } from './layer'

/**
 * Names that a weight is known by. Keras writes `model/layer/kernel` for a layer of a model inside another, and
 * `layer/layer/kernel` for what it saved as HDF5.
 */
function namesOf({ name }: Weight): string[] {
  const parts = name.split('/')
  return [parts, parts.slice(-2), [...parts.slice(0, -2), ...parts.slice(-1)]].map((part) => part.join('/'))
}

/** The weights of a model of layers, each of which one layer takes. */
export class LayerWeights {
  readonly #byName = new Map<string, Weight>()
  readonly #untaken: Set<Weight>

  constructor(stored: Pick<Network, 'weightSpecs' | 'weights'>) {
    // A node's name says nothing of outputs.
    const weights = weightsOf(stored).map((weight) => ({ ...weight, name: weight.name.replace(/:0$/, '') }))
    this.#untaken = new Set(weights)
    for (const place of [0, 1, 2]) {
      for (const weight of weights) {
        const name = namesOf(weight)[place] ?? ''
        if (!this.#byName.has(name)) this.#byName.set(name, weight)
      }
    }
  }

  /** @throws InvalidInputError when there is none of that name and shape */
  take(layer: Pick<Layer, 'name' | 'kind'>, name: string, shape: number[]): Weight {
    const weight = this.#byName.get(`${layer.name}/${name}`)
    if (!weight) return refuse(layer, `has no weight "${name}" in the weights' files`)
    if (weight.shape.join() !== shape.join())
      refuse(layer, `needs a weight "${name}" of the shape [${shape}], but it is [${weight.shape}]`)
    if (weight.dtype !== 'float32') refuse(layer, `has a weight "${name}" of the type ${weight.dtype}`)
    this.#untaken.delete(weight)
    return weight
  }

  /** How a layer gets at its weights. */
  of(layer: Pick<Layer, 'name' | 'kind'>, graph: NetworkBuilder): Pick<Layer, 'weight' | 'values'> {
    return {
      weight: (name, shape) => graph.weight(this.take(layer, name, shape)),
      values: (name, shape) => floatsOf(this.take(layer, name, shape)),
    }
  }

  /** @throws InvalidInputError naming those that no layer has taken */
  expectAllTaken(): void {
    const [first, ...others] = [...this.#untaken].map(({ name }) => name)
    if (first === undefined) return
    const more = others.length > 0 ? `, nor ${others.length} more` : ''
    throw new InvalidInputError('bad_model', `No layer reads the weight ${first}${more}`)
  }
}
