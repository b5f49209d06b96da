import type * as Core from '@tensorflow/tfjs-core'
import { InvalidInputError } from '../../errors'
import type { SquareInput } from '../../model-folder/description'
import { peerLibraries } from '../../model-folder/peer-libraries'
import { startTensorFlow } from '../engines'
import { softmax, topLabels } from '../labels'
import { loadPeerLibrary } from './peer-library'
import { withPixels } from './pixels'
import type { LoadTask } from './task'

/** What is used of @tensorflow-models/mobilenet. */
interface MobileNetLibrary {
  load(config: { version: 1 | 2; alpha: number; modelUrl: string; inputRange: [number, number] }): Promise<{
    /** @returns the logits of ImageNet's classes, without that of the background */
    infer(image: Core.Tensor3D): Core.Tensor
  }>
}

/** What 0 and 255 become. @throws InvalidInputError when the channels differ, which the library does not know */
function rangeOf({ mean, std }: SquareInput): [number, number] {
  if (typeof mean === 'number' && typeof std === 'number') return [(0 - mean) / std, (255 - mean) / std]
  throw new InvalidInputError(
    'bad_model',
    'A model of the family mobilenet needs one mean and one std for all channels',
  )
}

/**
 * A MobileNet, run by the library of that name: it scales the pixels and drops the background. The image is brought to the
 * network's size as it is decoded, which the library would do less well, without averaging over what it leaves out.
 */
export const loadMobileNet: LoadTask<'classification'> = async (folder, engine, path) => {
  const { files, description, classes } = folder
  const { input } = description
  const inputRange = rangeOf(input)
  const tensorFlow = await startTensorFlow(engine)
  // The library has no dispose: the graph is loaded here, and given to it in place of what it would load.
  const graph = await tensorFlow.loadGraph({ files, path, input })
  const library = loadPeerLibrary<MobileNetLibrary>(peerLibraries.mobilenet, {
    '@tensorflow/tfjs-core': tensorFlow.tf,
    '@tensorflow/tfjs-converter': { loadGraphModel: async () => graph },
  })
  // With a model of one's own, version and alpha say nothing.
  const network = await library.load({ version: 1, alpha: 1, modelUrl: path, inputRange })
  return {
    input,
    // The library has done so while it was loaded.
    warmUp: async () => {},
    look: (image, count) =>
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
