import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { classifyImage } from '../src/classifier/classify'
import { type LoadedModel, loadModel } from '../src/classifier/load'
import { median, ratioOf } from './statistics'

/*
 * Accuracy of models on photos with a WordNet id in their names, and their difference from the first model: agreement of the top label,
 * Kullback–Leibler divergence and inference time in milliseconds, alternating photo by photo.
 * Usage: npx tsx bench/accuracy.ts FOLDER MODEL@ENGINE …
 */

interface Answer {
  /** One per class. */
  probabilities: Float64Array
  /** Class indexes, most probable first. */
  order: number[]
  infer: number
}

async function answerOf(model: LoadedModel, bytes: Buffer): Promise<Answer> {
  const { labels, timings } = await classifyImage(model, bytes, model.folder.classes.length)
  const probabilities = new Float64Array(labels.length)
  for (const { index, probability } of labels) probabilities[index] = probability
  return { probabilities, order: labels.map(({ index }) => index), infer: timings.infer }
}

/** In nats. */
const divergence = (from: Float64Array, to: Float64Array): number =>
  from.reduce((sum, value, index) => sum + value * Math.log((value + 1e-9) / ((to[index] ?? 0) + 1e-9)), 0)

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
const percent = (flags: boolean[]): string => `${(100 * mean(flags.map(Number))).toFixed(1)} %`

async function main(): Promise<void> {
  const { positionals } = parseArgs({ allowPositionals: true })
  const [folder = '.', ...names] = positionals
  const models: LoadedModel[] = []
  for (const name of names) {
    const [model = '', engine = 'onnx'] = name.split('@')
    models.push(await loadModel(model, engine))
  }
  const answers: Answer[][] = models.map(() => [])
  const photos = readdirSync(folder).filter((name) => /n\d{8}.*\.jpe?g$/i.test(name))
  for (const photo of photos) {
    const bytes = readFileSync(join(folder, photo))
    for (const [index, model] of models.entries()) answers[index]?.push(await answerOf(model, bytes))
  }
  const [first = []] = answers
  const times = answers.map((all) => all.map(({ infer }) => infer))
  for (const [index, all] of answers.entries()) {
    const classes = models[index]?.folder.classes.map(({ wordnetId }) => wordnetId) ?? []
    const places = all.map(({ order }, photo) =>
      order.findIndex((place) => classes[place] === photos[photo]?.match(/n\d{8}/)?.[0]),
    )
    console.log(
      [
        names[index],
        `top-1 ${percent(places.map((place) => place === 0))}`,
        `top-5 ${percent(places.map((place) => place >= 0 && place < 5))}`,
        `agrees ${percent(all.map(({ order }, photo) => order[0] === first[photo]?.order[0]))}`,
        `KL ${mean(all.map(({ probabilities }, photo) => divergence(first[photo]?.probabilities ?? probabilities, probabilities))).toFixed(4)}`,
        `${median(times[index] ?? []).toFixed(1)} ms, ${ratioOf(times[index] ?? [], times[0] ?? []).toFixed(2)} ×`,
      ].join('  '),
    )
  }
}

void main()
