import { join } from 'node:path'
import { anyEngine } from '../../classifier/engines/names'
import { WhisklensError } from '../../errors'
import { openPool } from '../../library/classify/pool'
import type { Problem } from '../../library/classify/task'
import { readModelFolder } from '../../model-folder/folder'
import { checkProbabilities, networkFacts, type Values } from '../../models/verify'
import { homeFolder } from '../../paths'

/** More than any model has. */
const allClasses = 1_000_000

/**
 * Classifies a sample photo in a worker, because a crash in native code ends the process.
 * @param engine its name, or `auto`
 * @throws WhisklensError if the model cannot be loaded or run
 */
export async function predict(model: string, engine: string): Promise<Values> {
  const pool = openPool(join(__dirname, 'classify-worker.cjs'), 1)
  const image = join(homeFolder(), 'samples', 'astronaut.jpg')
  try {
    const { classified, fatal, error } = await pool.run({ image, model, engine, top: allClasses })
    if (classified) return new Map(classified.labels.map(({ index, probability }) => [index, probability]))
    const noAnswer: Problem = { code: 'internal', message: 'The engine returned nothing' }
    const { code, message, hint } = fatal ?? error ?? noAnswer
    throw new WhisklensError(code, message, { hint })
  } finally {
    await pool.close()
  }
}

/** Loads a model and runs it once. @throws WhisklensError if it does not work */
export async function warmUp(folder: string): Promise<void> {
  const model = await readModelFolder(folder)
  // An embedding has no labels to check.
  if (model.description.task === 'embedding') networkFacts(model, folder)
  else checkProbabilities(await predict(folder, anyEngine))
}
