// Whisklens as in an action. Arguments: engine, files of images.
import { readFileSync } from 'node:fs'
import { classifyImages } from '../../src/batch/classify/classify-images'
import { classifyImage } from '../../src/classifier/classify'
import { findEngine } from '../../src/classifier/engines'
import { loadIsolated } from '../../src/classifier/inference/load'
import { settingsFromEnvironment } from '../../src/config'
import { modelFolderPath, readModelFolder } from '../../src/model-folder/folder'
import { openStore } from '../../src/storage/store'
import { model } from '../network'
import { classifying, serve } from './serve'

const [engine = '', ...files] = process.argv.slice(2)
const images = files.map((file) => readFileSync(file))

/** As in `classifyImages`. */
const ahead = 4

/** The network alone, on an image in memory. */
async function loadNetwork(): Promise<() => Promise<unknown>> {
  const { files, description } = await readModelFolder(model)
  if (description.task !== 'classification') throw new Error(`${model} is not a classification model`)
  const { input } = description
  const predictor = await findEngine(engine).load({ files, path: modelFolderPath(model), input })
  const image = Float32Array.from({ length: input.size ** 2 * 3 }, (_, index) => Math.sin(index))
  return () => predictor.predict(image)
}

async function main(): Promise<void> {
  const loaded = await loadIsolated(model, engine)
  const classify = async (image: Buffer) => (await classifyImage(loaded, image)).labels[0]?.index ?? -1
  await classify(images[0] as Buffer)
  let network: (() => Promise<unknown>) | undefined
  serve({
    ...classifying(classify, images, ahead),
    /** Runs the network alone. @returns images per second */
    infer: async (count: number) => {
      network ??= await loadNetwork()
      await network()
      const start = performance.now()
      for (let done = 0; done < count; done++) await network()
      return (count / (performance.now() - start)) * 1000
    },
    /** Classifies images of the object store as one chunk of a batch. @returns images per second */
    chunk: async ({ bucket, keys }: { bucket: string; keys: string[] }) => {
      const store = openStore(settingsFromEnvironment())
      const refs = keys.map((key) => ({ bucket, key }))
      const options = { model: loaded, store, activationId: 'bench', deadline: Number.POSITIVE_INFINITY }
      const start = performance.now()
      const records = await classifyImages(refs, options)
      const milliseconds = performance.now() - start
      const failed = records.find(({ status }) => status !== 'ok')
      if (failed || records.length < keys.length)
        throw new Error(`Not all images were classified: ${failed?.error?.message}`)
      return (keys.length / milliseconds) * 1000
    },
  })
}

void main()
