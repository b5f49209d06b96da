// Classifies the samples with an engine and each given model. Prints one JSON document per model: the value of every
// class for each sample, and the engine's name for itself.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { classifyImage } from '../../src/classifier/classify'
import { loadModel } from '../../src/classifier/load'
import { homeFolder } from '../../src/paths'

const samples = ['astronaut', 'camera', 'cat', 'coffee', 'flower', 'galaxies', 'palace', 'rocket']

async function valuesOf(model: Awaited<ReturnType<typeof loadModel>>, sample: string): Promise<number[]> {
  const bytes = readFileSync(join(homeFolder(), 'samples', `${sample}.jpg`))
  const { labels } = await classifyImage(model, bytes, model.folder.classes.length)
  return labels.sort((a, b) => a.index - b.index).map(({ probability }) => probability)
}

async function main(): Promise<void> {
  const [engine = '', ...models] = process.argv.slice(2)
  for (const name of models) {
    const model = await loadModel(name, engine)
    // Concurrently, like the images of a chunk.
    const values = await Promise.all(samples.map((sample) => valuesOf(model, sample)))
    console.log(JSON.stringify({ engine: model.engine, values }))
  }
}

main().catch((thrown) => {
  console.error(thrown)
  process.exitCode = 1
})
