import { InvalidInputError } from '../../errors'
import type { NetworkBuilder } from '../builder'
import type { Network } from '../graph'
import { floatsOf, type Weight, weightsOf } from '../weights'
import { type Layer, refuse } from './layer'

/**
 * Names of a weight. Keras writes `model/layer/kernel` for a layer of a nested model, and `layer/layer/kernel` in HDF5 files.
 */
function namesOf({ name }: Weight): string[] {
  const parts = name.split('/')
  return [parts, parts.slice(-2), [...parts.slice(0, -2), ...parts.slice(-1)]].map((part) => part.join('/'))
}

/** Weights of a layers model. Each is taken by one layer. */
export class LayerWeights {
  readonly #byName = new Map<string, Weight>()
  readonly #untaken: Set<Weight>

  constructor(stored: Pick<Network, 'weightSpecs' | 'weights'>) {
    // Node names have no output index.
    const weights = weightsOf(stored).map((weight) => ({ ...weight, name: weight.name.replace(/:0$/, '') }))
    this.#untaken = new Set(weights)
    for (const place of [0, 1, 2]) {
      for (const weight of weights) {
        const name = namesOf(weight)[place] ?? ''
        if (!this.#byName.has(name)) this.#byName.set(name, weight)
      }
    }
  }

  /** @throws InvalidInputError if there is none with that name and shape */
  take(layer: Pick<Layer, 'name' | 'kind'>, name: string, shape: number[]): Weight {
    const weight = this.#byName.get(`${layer.name}/${name}`)
    if (!weight) return refuse(layer, `has no weight "${name}" in the weight files`)
    if (weight.shape.join() !== shape.join())
      refuse(layer, `has a weight "${name}" of shape [${weight.shape}], expected [${shape}]`)
    if (weight.dtype !== 'float32')
      refuse(layer, `has a weight "${name}" of unsupported type ${weight.dtype}`)
    this.#untaken.delete(weight)
    return weight
  }

  /** Access of a layer to its weights. */
  of(layer: Pick<Layer, 'name' | 'kind'>, graph: NetworkBuilder): Pick<Layer, 'weight' | 'values'> {
    return {
      weight: (name, shape) => graph.weight(this.take(layer, name, shape)),
      values: (name, shape) => floatsOf(this.take(layer, name, shape)),
    }
  }

  /** @throws InvalidInputError naming weights that no layer has taken */
  expectAllTaken(): void {
    const [first, ...others] = [...this.#untaken].map(({ name }) => name)
    if (first === undefined) return
    const more = others.length > 0 ? `, nor ${others.length} more` : ''
    throw new InvalidInputError('bad_model', `No layer reads the weight ${first}${more}`)
  }
}
