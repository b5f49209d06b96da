// Runs one engine. Told `infer N`, `batch N` or `classify N`, it answers with the milliseconds that each image took, and
// those of processor time.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { classifyImage } from '../../src/classifier/classify'
import { loadModel } from '../../src/classifier/load'
import { homeFolder } from '../../src/paths'
import { peakBytes, residentBytes } from '../../test/helpers/memory'

const [engine = ''] = process.argv.slice(2)
const photo = readFileSync(process.argv[3] ?? join(homeFolder(), 'samples', 'coffee.jpg'))
const batchSize = 8

function cpuMilliseconds(since?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1000
}

async function timesOf(count: number, run: () => Promise<unknown>, images = 1): Promise<number[]> {
  const times: number[] = []
  for (let done = 0; done < count; done += images) {
    const start = performance.now()
    await run()
    times.push((performance.now() - start) / images)
  }
  return times
}

async function main(): Promise<void> {
  const model = await loadModel('efficientnet-lite0', engine)
  const { size } = model.folder.description.input
  const input = Float32Array.from({ length: size * size * 3 }, (_, index) => Math.sin(index))
  const batch = new Float32Array(input.length * batchSize)
  for (let image = 0; image < batchSize; image++) batch.set(input, image * input.length)
  const tasks: Record<string, (count: number) => Promise<number[]>> = {
    infer: (count) => timesOf(count, () => model.predictor.predict(input)),
    batch: (count) => timesOf(count, () => model.predictor.predict(batch), batchSize),
    classify: (count) => timesOf(count, () => classifyImage(model, photo)),
  }
  await classifyImage(model, photo)
  process.on('message', async ({ task, count }: { task: string; count: number }) => {
    const before = process.cpuUsage()
    const times = await tasks[task]?.(count)
    const cpu = cpuMilliseconds(before) / count
    process.send?.({ times, cpu, resident: residentBytes(), peak: peakBytes() })
  })
  process.send?.({ cpu: cpuMilliseconds() })
}

void main()
