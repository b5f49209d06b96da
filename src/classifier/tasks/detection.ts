import * as tfConverter from '@tensorflow/tfjs-converter'
import * as tf from '@tensorflow/tfjs-core'
import { readGraphModel } from '../../model-folder/graph-model'
import { peerLibraries } from '../../model-folder/peer-libraries'
import type { Detection } from '../../schema'
import { startTensorFlow } from '../engines'
import { artifactsOf } from '../engines/graph'
import { labelsOf, share } from './found'
import { loadPeerLibrary } from './peer-library'
import { withPixels } from './pixels'
import type { LoadTask } from './task'

/** The API used of coco-ssd. */
interface CocoSsd {
  load(config: { modelUrl: tf.io.IOHandler }): Promise<{
    detect(
      image: tf.Tensor3D,
      maxNumBoxes: number,
      minScore: number,
    ): Promise<
      { class: string; score: number; bbox: [x: number, y: number, width: number, height: number] }[]
    >
    dispose(): void
  }>
}

/** Maximum number of objects per image. */
const maxObjects = 20

/**
 * coco-ssd uses its minimum score also as the maximum overlap of boxes of different classes, and has no name for boxes of the
 * background class.
 */
const minScore = (threshold: number): number => Math.min(0.5, Math.max(0.01, threshold))

/** Finds objects and their boxes. */
export const loadDetection: LoadTask<'detection'> = async ({ files, description, classes }, engine, path) => {
  const cocoSsd = loadPeerLibrary<CocoSsd>(peerLibraries.cocoSsd, {
    '@tensorflow/tfjs-core': tf,
    '@tensorflow/tfjs-converter': tfConverter,
  })
  const graph = readGraphModel(files, path)
  const tensorFlow = await startTensorFlow(engine)
  const detector = await cocoSsd.load({ modelUrl: tf.io.fromMemory(artifactsOf(graph)) })

  async function detect(image: tf.Tensor3D, threshold: number): Promise<Detection[]> {
    const [rows, columns] = image.shape
    const things = await detector.detect(image, maxObjects, minScore(threshold))
    return things
      .filter(({ score }) => score >= threshold)
      .map(({ class: label, score, bbox: [left, top, width, height] }) => ({
        label,
        probability: share(score),
        box: [
          share(top / rows),
          share(left / columns),
          share((top + height) / rows),
          share((left + width) / columns),
        ],
      }))
  }

  return {
    input: description.input,
    // coco-ssd warms up while it is loaded.
    warmUp: async () => {},
    predict: (image, count, threshold = description.threshold) =>
      withPixels(tensorFlow, image, async (pixels) => {
        const detections = await detect(pixels, threshold)
        return { labels: labelsOf(detections, classes, count), detections }
      }),
    memory: () => tf.memory(),
    dispose: () => detector.dispose(),
  }
}
