import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

/*
 * Classifies the images of a folder with transformers.js as in its documentation: its pipeline, in one process. Prints {"file",
 * "labels": [{"index"}]} for each image, in order.
 *
 * Usage: classify.mjs <folder with its node_modules> <model folder in its layout> <folder of images>
 */

const [libraries, model, folder] = process.argv.slice(2)
const require = createRequire(join(libraries, 'package.json'))
const { env, pipeline } = await import(pathToFileURL(require.resolve('@huggingface/transformers')))

env.allowRemoteModels = false
env.localModelPath = dirname(model)
const classify = await pipeline('image-classification', basename(model), { device: 'cpu', dtype: 'fp32' })
for (const name of readdirSync(folder).sort()) {
  const file = join(folder, name)
  const labels = await classify(file, { top_k: 5 })
  process.stdout.write(
    `${JSON.stringify({ file, labels: labels.map(({ label }) => ({ index: Number(label) })) })}\n`,
  )
}
