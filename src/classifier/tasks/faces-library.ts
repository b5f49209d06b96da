import * as tf from '@tensorflow/tfjs-core'
import { peerLibraries } from '../../model-folder/peer-libraries'
import { loadPeerLibrary } from './peer-library'

/** One network of face-api. */
export interface FaceNet {
  loadFromWeightMap(weights: tf.NamedTensorMap): void
  /** @param throwOnRedispose whether it is an error that some of its tensors are gone */
  dispose(throwOnRedispose: boolean): void
}

/** In pixels; may reach beyond the image. */
interface Box {
  top: number
  left: number
  bottom: number
  right: number
}

/** What is used of face-api. */
export interface FaceApi {
  SsdMobilenetv1: new () => FaceNet & {
    locateFaces(
      image: tf.Tensor3D,
      options: { minConfidence: number },
    ): Promise<{ score: number; box: Box; relativeBox: Box }[]>
  }
  FaceExpressionNet: new () => FaceNet & {
    predictExpressions(face: tf.Tensor3D): Promise<Record<string, number>>
  }
  AgeGenderNet: new () => FaceNet & { predictAgeAndGender(face: tf.Tensor3D): Promise<{ age: number }> }
  /** None for a box without an area inside the image. */
  extractFaceTensors(image: tf.Tensor3D, boxes: Box[]): Promise<tf.Tensor3D[]>
}

type Chained = (this: tf.Tensor, ...args: never[]) => tf.Tensor

/** Methods that tensors have where the whole of TensorFlow.js is loaded; our core has the functions alone. */
const methods: Record<string, Chained> = {
  as1D() {
    return tf.reshape(this, [this.size])
  },
  as2D: reshape,
  as3D: reshape,
  as4D: reshape,
  div(divisor: tf.Tensor) {
    return tf.div(this, divisor)
  },
}

function reshape(this: tf.Tensor, ...shape: number[]): tf.Tensor {
  return tf.reshape(this, shape)
}

/** face-api on the TensorFlow.js of the engines. @throws WhisklensError `library_missing` when it is not installed */
export function loadFaceApi(): FaceApi {
  for (const [name, value] of Object.entries(methods)) {
    if (!(name in tf.Tensor.prototype)) Object.defineProperty(tf.Tensor.prototype, name, { value })
  }
  return loadPeerLibrary<FaceApi>(peerLibraries.faceApi, {
    '@tensorflow/tfjs': tf,
    '@tensorflow/tfjs-backend-wasm': {},
  })
}
