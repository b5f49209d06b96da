import * as tf from '@tensorflow/tfjs-core'
import type { DescriptionOf } from '../../model-folder/description'
import { type ModelFolder, parseJson } from '../../model-folder/folder'
import { readWeights, weightsManifest } from '../../model-folder/graph-model'
import type { Detection } from '../../schema'
import { startTensorFlow } from '../engines'
import { type FaceNet, loadFaceApi } from './faces-library'
import { labelsOf, share } from './found'
import { withPixels } from './pixels'
import type { LoadTask } from './task'

/** face-api's names for the emotions of MAX. Contempt is missing: face-api does not detect it. */
const expressions: Record<string, string> = {
  neutral: 'neutral',
  happiness: 'happy',
  surprise: 'surprised',
  sadness: 'sad',
  anger: 'angry',
  disgust: 'disgusted',
  fear: 'fearful',
}

/** face-api does not accept 0 or 1. */
const within = (threshold: number) => ({ minConfidence: Math.min(0.999999, Math.max(0.000001, threshold)) })

/** Finds faces, their emotions and ages. */
export const loadFaces: LoadTask<'faces'> = async (folder, engine, path) => {
  const { description, classes } = folder
  const faceApi = loadFaceApi()
  const tensorFlow = await startTensorFlow(engine)
  const detector = new faceApi.SsdMobilenetv1()
  const expressionNet = new faceApi.FaceExpressionNet()
  const ageNet = new faceApi.AgeGenderNet()
  const nets = {
    ssd_mobilenetv1_model: detector,
    face_expression_model: expressionNet,
    age_gender_model: ageNet,
  }
  const dispose = (): void => {
    for (const net of Object.values(nets)) net.dispose(false)
  }

  async function readFace(face: tf.Tensor3D): Promise<Pick<Detection, 'emotions' | 'age'>> {
    const seen = await expressionNet.predictExpressions(face)
    const { age } = await ageNet.predictAgeAndGender(face)
    const emotions = classes.map(({ className: label }) => ({
      label,
      probability: seen[expressions[label] ?? ''] ?? 0,
    }))
    return {
      emotions: emotions.sort((a, b) => b.probability - a.probability),
      age: Math.max(0, Math.round(age * 10) / 10),
    }
  }

  async function detect(image: tf.Tensor3D, threshold: number): Promise<Detection[]> {
    const detections: Detection[] = []
    const found = await detector.locateFaces(image, within(threshold))
    for (const { score, box, relativeBox } of found) {
      const [face] = await faceApi.extractFaceTensors(image, [box])
      if (!face) continue
      const { top, left, bottom, right } = relativeBox
      try {
        detections.push({
          label: 'face',
          probability: score,
          box: [share(top), share(left), share(bottom), share(right)],
          ...(await readFace(face)),
        })
      } finally {
        face.dispose()
      }
    }
    return detections
  }

  try {
    for (const [name, net] of Object.entries(nets)) fill(net, weightsOf(name, folder, path))
  } catch (thrown) {
    dispose()
    throw thrown
  }
  return {
    input: description.input,
    warmUp: () =>
      withPixels(
        tensorFlow,
        { pixels: new Uint8Array(112 * 112 * 3), rows: 112, columns: 112 },
        async (black) => {
          await detector.locateFaces(black, within(1))
          await readFace(black)
        },
      ),
    predict: (image, count, threshold = description.threshold) =>
      withPixels(tensorFlow, image, async (pixels) => {
        const detections = await detect(pixels, threshold)
        const emotions = detections.flatMap(({ emotions = [] }) => emotions)
        return { labels: labelsOf(emotions, classes, count), detections }
      }),
    memory: () => tf.memory(),
    dispose,
  }
}

function fill(net: FaceNet, weights: tf.NamedTensorMap): void {
  try {
    net.loadFromWeightMap(weights)
  } catch (thrown) {
    tf.dispose(weights)
    throw thrown
  }
}

function weightsOf(
  name: string,
  { files }: ModelFolder<DescriptionOf<'faces'>>,
  path: string,
): tf.NamedTensorMap {
  const manifest = parseJson(weightsManifest, files, `${name}-weights_manifest.json`, path)
  const { weightSpecs, weights } = readWeights(manifest, files, path)
  return tf.io.decodeWeights(weights.buffer, weightSpecs as tf.io.WeightsManifestEntry[])
}
