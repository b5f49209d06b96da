import type * as Core from '@tensorflow/tfjs-core'
import { InvalidInputError } from '../../errors'
import type { SquareInput } from '../../model-folder/description'
import { peerLibraries } from '../../model-folder/peer-libraries'
import { startTensorFlow } from '../engines'
import { softmax, topLabels } from '../labels'
import { loadPeerLibrary } from './peer-library'
import { withPixels } from './pixels'
import type { LoadTask } from './task'

/** The API used of @tensorflow-models/mobilenet. */
interface MobileNetLibrary {
  load(config: { version: 1 | 2; alpha: number; modelUrl: string; inputRange: [number, number] }): Promise<{
    /** @returns logits of the ImageNet classes, without the background */
    infer(image: Core.Tensor3D): Core.Tensor
  }>
}

/** Values of 0 and 255. @throws InvalidInputError for different values per channel, which the library does not support */
function rangeOf({ mean, std }: SquareInput): [number, number] {
  if (typeof mean === 'number' && typeof std === 'number') return [(0 - mean) / std, (255 - mean) / std]
  throw new InvalidInputError(
    'bad_model',
    'A model of the family mobilenet needs one mean and one std for all channels',
  )
}

/**
 * A MobileNet run by @tensorflow-models/mobilenet, which scales the pixels and drops the background class. The image is resized
 * while decoding, because the library resizes without averaging.
 */
export const loadMobileNet: LoadTask<'classification'> = async (folder, engine, path) => {
  const { files, description, classes } = folder
  const { input } = description
  const inputRange = rangeOf(input)
  const tensorFlow = await startTensorFlow(engine)
  // The library has no dispose(), so the graph is loaded here and passed to it.
  const graph = await tensorFlow.loadGraph({ files, path, input })
  const library = loadPeerLibrary<MobileNetLibrary>(peerLibraries.mobilenet, {
    '@tensorflow/tfjs-core': tensorFlow.tf,
    '@tensorflow/tfjs-converter': { loadGraphModel: async () => graph },
  })
  // Ignored for a custom model URL.
  const network = await library.load({ version: 1, alpha: 1, modelUrl: path, inputRange })
  return {
    input,
    // The library warms up while it is loaded.
    warmUp: async () => {},
    predict: (image, count) =>
      withPixels(tensorFlow, image, async (pixels) => {
        const logits = network.infer(pixels)
        try {
          const probabilities = softmax((await logits.data()) as Float32Array)
          return { labels: topLabels(probabilities, classes, count) }
        } finally {
          logits.dispose()
        }
      }),
    memory: () => tensorFlow.tf.memory(),
    dispose: () => graph.dispose(),
  }
}
