// Classifies the samples in turn, as often as it is told, and prints the memory after each as one JSON document.
import { readFileSync } from 'node:fs'
import { memory } from '@tensorflow/tfjs-core'
import { classifyImage } from '../../src/classifier/classify'
import { loadModel } from '../../src/classifier/load'
import { peakBytes, residentBytes } from './memory'

async function main(): Promise<void> {
  const [times = '', ...files] = process.argv.slice(2)
  const images = files.map((file) => readFileSync(file))
  const model = await loadModel('efficientnet-lite0', 'wasm')
  const tensors: number[] = []
  const resident: number[] = []
  for (let index = 0; index < Number(times); index++) {
    await classifyImage(model, images[index % images.length] ?? new Uint8Array())
    tensors.push(memory().numTensors)
    resident.push(residentBytes())
  }
  console.log(JSON.stringify({ tensors, resident, peak: peakBytes() }))
}

main().catch((thrown) => {
  console.error(thrown)
  process.exitCode = 1
})
