import { readFile } from 'node:fs/promises'
import pLimit from 'p-limit'
import { classifyImage } from '../../src/classifier/classify'
import { loadModel } from '../../src/classifier/load'
import { settingsFromEnvironment } from '../../src/config'

/*
 * The classifier alone: a process that classifies lists of files, with as many images ahead of the engine as an action.
 */

const lookAhead = 4
const { model, engine } = settingsFromEnvironment()

process.on('message', async (files: string[]) => {
  const loaded = await loadModel(model, engine)
  const limit = pLimit(lookAhead)
  await Promise.all(files.map((file) => limit(async () => classifyImage(loaded, await readFile(file)))))
  process.send?.('done')
})
