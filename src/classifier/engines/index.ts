import { InvalidInputError } from '../../errors'
import { cpu } from './cpu'
import type { Engine } from './engine'
import { anyEngine, type EngineName, engineNames } from './names'
import { native } from './native'
import { onnx } from './onnx'
import { wasm } from './wasm'

/** Each loads its library only when it is given a network. */
const engines: Record<EngineName, Engine> = { onnx, native, wasm, cpu }

/**
 * An engine by its name.
 * @throws InvalidInputError when there is none of that name
 */
export function findEngine(name: string): Engine {
  const known = engineNames.find((known) => known === name)
  if (known) return engines[known]
  throw new InvalidInputError(`There is no engine "${name}"`, {
    hint: `Set WHISKLENS_ENGINE to one of: ${[...engineNames, anyEngine].join(', ')}.`,
  })
}
