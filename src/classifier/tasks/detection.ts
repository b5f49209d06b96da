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

/** What is used of coco-ssd. */
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

/** So many things of one image are kept. */
const maxThings = 20

/**
 * coco-ssd takes its least probability for the most that two boxes of different things may overlap, too, and knows no name
 * for a box that holds nothing at all.
 */
const leastScore = (threshold: number): number => Math.min(0.5, Math.max(0.01, threshold))

/** What things are in an image, and where. */
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
    const things = await detector.detect(image, maxThings, leastScore(threshold))
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
    // coco-ssd has done so while it was loaded.
    warmUp: async () => {},
    look: (image, count, threshold = description.threshold) =>
      withPixels(tensorFlow, image, async (pixels) => {
        const detections = await detect(pixels, threshold)
        return { labels: labelsOf(detections, classes, count), detections }
      }),
    memory: () => tf.memory(),
    dispose: () => detector.dispose(),
  }
}
