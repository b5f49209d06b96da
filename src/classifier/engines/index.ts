import { InvalidInputError } from '../../errors'
import { startWasm } from './wasm'

/** The TensorFlow.js backends that can run a model. Each entry makes its backend the current one. */
const engines: Record<string, () => Promise<void>> = {
  wasm: startWasm,
}

/**
 * Starts an engine by name.
 * @throws InvalidInputError for a name that is not an engine
 */
export async function startEngine(name: string): Promise<void> {
  const start = Object.hasOwn(engines, name) ? engines[name] : undefined
  if (!start) {
    throw new InvalidInputError(`There is no engine "${name}"`, {
      hint: `Set WHISKLENS_ENGINE to one of: ${Object.keys(engines).join(', ')}.`,
    })
  }
  await start()
}
