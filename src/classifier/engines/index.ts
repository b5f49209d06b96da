import { InvalidInputError } from '../../errors'
import { cpu } from './cpu'
import type { Engine } from './engine'
import { native } from './native'
import { onnx } from './onnx'
import { wasm } from './wasm'

/** Best first. Each loads its library only when it is asked for a network. */
const engines: Record<string, Engine> = { onnx, native, wasm, cpu }

export const engineNames = Object.keys(engines)

/** Stands for the best engine that works. */
export const anyEngine = 'auto'

/**
 * An engine by its name.
 * @throws InvalidInputError when there is none of that name
 */
export function findEngine(name: string): Engine {
  const engine = Object.hasOwn(engines, name) ? engines[name] : undefined
  if (engine) return engine
  throw new InvalidInputError(`There is no engine "${name}"`, {
    hint: `Set WHISKLENS_ENGINE to one of: ${[...engineNames, anyEngine].join(', ')}.`,
  })
}
