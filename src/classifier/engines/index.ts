import { InvalidInputError } from '../../errors'
import { containerMemory } from '../container-memory'
import { cpu } from './cpu'
import type { Engine, TensorFlow } from './engine'
import { choiceOf, type EngineName, engineNames, engineSettings } from './names'
import { onnx } from './onnx'
import { tfjsNode } from './tfjs-node'
import { wasm } from './wasm'

/** Each engine loads its library with the first network. */
const engines: Record<EngineName, Engine> = { onnx, 'tfjs-node': tfjsNode, wasm, cpu }

/**
 * Finds an engine by name.
 * @throws InvalidInputError if there is none
 */
export function findEngine(name: string): Engine {
  const known = engineNames.find((known) => known === name)
  if (known) return engines[known]
  throw new InvalidInputError('bad_setting', `There is no engine "${name}"`, {
    hint: `Set WHISKLENS_ENGINE to one of: ${engineSettings.join(', ')}.`,
  })
}

/**
 * Starts the TensorFlow.js of an engine.
 * @throws Error if it does not start on this machine
 */
export async function startTensorFlow(name: string): Promise<TensorFlow> {
  const tensorFlow = await findEngine(name).start?.()
  if (tensorFlow) return tensorFlow
  throw new InvalidInputError('bad_setting', `The engine "${name}" does not use TensorFlow.js`, {
    hint: `Set WHISKLENS_ENGINE to one of: ${choiceOf('tfjs')?.join(', ')}.`,
  })
}

/** Whether an engine is installed and the container has enough memory for it. */
export function isUsable(engine: EngineName): boolean {
  const { missing, leastMemory = 0 } = findEngine(engine)
  return !missing() && leastMemory <= containerMemory
}
