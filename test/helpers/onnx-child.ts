// Classifies or embeds an image with the engine onnx, and prints the values as a JSON array. In its own process because
// native code rejects Jest's typed arrays.
import { readFileSync } from 'node:fs'
import { classifyImage } from '../../src/classifier/classify'
import { loadModel } from '../../src/classifier/load'
import { openEmbedder } from '../../src/cli/teach/embed'
import { readModelFolder } from '../../src/model-folder/folder'
import { type BaseModel, embeddingOf } from '../../src/models/teach/embedding'

async function classify(model: string, image: Buffer): Promise<number[]> {
  const { labels } = await classifyImage(await loadModel(model, 'auto'), image, 10)
  return labels.sort((a, b) => a.index - b.index).map(({ probability }) => probability)
}

async function embed(path: string, image: Buffer): Promise<number[]> {
  const model = (await readModelFolder(path)) as BaseModel
  const { files } = embeddingOf(model, path)
  const embedder = await openEmbedder(files, model.description, { engine: 'onnx', path })
  return Array.from(await embedder.embed(image))
}

async function main(): Promise<void> {
  const [what, model = '', image = ''] = process.argv.slice(2)
  console.log(JSON.stringify(await (what === 'embed' ? embed : classify)(model, readFileSync(image))))
}

main().catch((thrown) => {
  console.error(thrown)
  process.exitCode = 1
})
