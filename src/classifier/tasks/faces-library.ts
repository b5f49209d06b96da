import * as tf from '@tensorflow/tfjs-core'
import { peerLibraries } from '../../model-folder/peer-libraries'
import { loadPeerLibrary } from './peer-library'

/** A network of face-api. */
export interface FaceNet {
  loadFromWeightMap(weights: tf.NamedTensorMap): void
  /** @param throwOnRedispose whether tensors that are already disposed of are an error */
  dispose(throwOnRedispose: boolean): void
}

/** In pixels; may extend beyond the image. */
interface Box {
  top: number
  left: number
  bottom: number
  right: number
}

/** The API used of face-api. */
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

/** Chained tensor methods, which exist only in the full TensorFlow.js; our core has only functions. */
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

/** Loads face-api on the engines' TensorFlow.js. @throws WhisklensError `library_missing` if it is not installed */
export function loadFaceApi(): FaceApi {
  for (const [name, value] of Object.entries(methods)) {
    if (!(name in tf.Tensor.prototype)) Object.defineProperty(tf.Tensor.prototype, name, { value })
  }
  return loadPeerLibrary<FaceApi>(peerLibraries.faceApi, {
    '@tensorflow/tfjs': tf,
    '@tensorflow/tfjs-backend-wasm': {},
  })
}
