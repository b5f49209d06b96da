import type { DescriptionOf } from '../../model-folder/description'
import { findEngine } from '../engines'
import { topLabels } from '../labels'
import { type NetworkInput, networkInput } from '../network-input'
import { stage } from '../stage'
import type { LoadTask } from './task'

/** One probability for each class. */
export const loadClassification: LoadTask<'classification'> = async (folder, engine, path) => {
  const { description, classes } = folder
  const { input, skip } = description
  const images = networkInput(input)
  const predictor = await findEngine(engine).load({ files: folder.files, path, input })
  const probabilitiesOf = async (values: NetworkInput): Promise<Float32Array> => {
    const [output = new Float32Array()] = await predictor.predict(values)
    const probabilities = toProbabilities(output.subarray(skip), description)
    const { length } = probabilities
    if (length !== classes.length) {
      throw new Error(`${description.labels} names ${classes.length} classes, but there are ${length}`)
    }
    return probabilities
  }
  return {
    input,
    tryOut: async () => void (await probabilitiesOf(images.blank)),
    look: async (image, count) => {
      const values = await stage('imageToInput', () => images.of(image))
      return { labels: topLabels(await probabilitiesOf(values), classes, count) }
    },
    memory: () => predictor.memory(),
    dispose: () => predictor.dispose(),
  }
}

function toProbabilities(
  values: Float32Array,
  { logits }: Pick<DescriptionOf<'classification'>, 'logits'>,
): Float32Array {
  if (!logits) return values
  const highest = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const exponentials = values.map((value) => Math.exp(value - highest))
  const sum = exponentials.reduce((a, b) => a + b, 0)
  return exponentials.map((value) => value / sum)
}
