import { findEngine } from '../engines'
import { softmax, topLabels } from '../labels'
import { type NetworkInput, networkInput } from '../network-input'
import { stage } from '../stage'
import type { LoadTask } from './task'

/** One probability per class. */
export const loadClassification: LoadTask<'classification'> = async (folder, engine, path) => {
  const { description, classes } = folder
  const { input, logits, skip } = description
  const images = networkInput(input)
  const predictor = await findEngine(engine).load({ files: folder.files, path, input })
  const probabilitiesOf = async (images: NetworkInput): Promise<Float32Array> => {
    const [output = new Float32Array()] = await predictor.predict(images)
    const values = output.subarray(skip)
    const probabilities = logits ? softmax(values) : values
    const { length } = probabilities
    if (length !== classes.length) {
      throw new Error(`${description.labels} names ${classes.length} classes, but there are ${length}`)
    }
    return probabilities
  }
  return {
    input,
    warmUp: async () => void (await probabilitiesOf(images.blank)),
    predict: async (image, count) => {
      const values = await stage('imageToInput', () => images.of(image))
      return { labels: topLabels(await probabilitiesOf(values), classes, count) }
    },
    memory: () => predictor.memory(),
    dispose: () => predictor.dispose(),
  }
}
