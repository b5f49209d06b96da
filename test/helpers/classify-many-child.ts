// Classifies the samples in turn, a given number of times; prints the memory after each as one JSON document.
import { readFileSync } from 'node:fs'
import { classifyImage } from '../../src/classifier/classify'
import { loadModel } from '../../src/classifier/load'
import { peakBytes, residentBytes } from './memory'

async function main(): Promise<void> {
  const [times = '', ...files] = process.argv.slice(2)
  const images = files.map((file) => readFileSync(file))
  const model = await loadModel(
    process.env.WHISKLENS_MODEL ?? 'efficientnet-lite0',
    process.env.WHISKLENS_ENGINE ?? 'wasm',
  )
  const held: object[] = []
  const resident: number[] = []
  for (let index = 0; index < Number(times); index++) {
    await classifyImage(model, images[index % images.length] ?? new Uint8Array())
    held.push(model.task.memory())
    resident.push(residentBytes())
  }
  console.log(JSON.stringify({ held, resident, peak: peakBytes() }))
}

main().catch((thrown) => {
  console.error(thrown)
  process.exitCode = 1
})
