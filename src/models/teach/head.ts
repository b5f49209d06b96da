import type { Head } from '../../network/embedding'

/** An image's vector, and the index of its label. */
export interface Example {
  vector: Float32Array
  label: number
}

/** Full-batch steps that start from zeros: the same examples give the same head. */
const steps = 300
const learningRate = 0.01
/** Weight of the squared kernel, against overfitting on few examples. */
const decay = 1e-3

/**
 * Trains a multinomial logistic regression with TensorFlow.js' optimizer on the active backend.
 * @param labels number of labels
 */
export async function trainHead(examples: Example[], labels: number): Promise<Head> {
  const tf = await import('@tensorflow/tfjs-core')
  const scale = scaleOf(examples)
  const width = scale.mean.length
  const inputs = tf.tensor2d(scaled(examples, scale), [examples.length, width])
  const positions = Int32Array.from(examples, ({ label }) => label)
  const expected = tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(positions, 'int32'), labels), 'float32'))
  const kernel = tf.tidy(() => tf.variable(tf.zeros([width, labels])))
  const bias = tf.tidy(() => tf.variable(tf.zeros([labels])))
  const optimizer = tf.train.adam(learningRate)
  // In closed form: TensorFlow.js' autograd would bundle the gradients of all operations.
  const gradients = () => {
    const logits = tf.add(tf.matMul(inputs, kernel), bias)
    const error = tf.div(tf.sub(tf.softmax(logits), expected), examples.length)
    const ofKernel = tf.add(tf.matMul(inputs, error, true), tf.mul(kernel, 2 * decay))
    return [
      { name: kernel.name, tensor: ofKernel },
      { name: bias.name, tensor: tf.sum(error, 0) },
    ]
  }
  try {
    for (let step = 0; step < steps; step++) tf.tidy(() => optimizer.applyGradients(gradients()))
    return unscaled(await kernel.data<'float32'>(), await bias.data<'float32'>(), scale)
  } finally {
    optimizer.dispose()
    tf.dispose([inputs, expected, kernel, bias])
  }
}

/** Centres vectors at zero with a mean length of one, which the learning rate assumes. */
interface Scale {
  mean: Float64Array
  factor: number
}

function scaleOf(examples: Example[]): Scale {
  const mean = new Float64Array(examples[0]?.vector.length ?? 0)
  for (const { vector } of examples) {
    vector.forEach((value, at) => {
      mean[at] = (mean[at] ?? 0) + value / examples.length
    })
  }
  const variance = examples.reduce(
    (sum, { vector }) => sum + squaredDistance(vector, mean) / examples.length,
    0,
  )
  return { mean, factor: variance > 0 ? 1 / Math.sqrt(variance) : 1 }
}

const squaredDistance = (a: Float32Array, b: Float64Array): number =>
  a.reduce((sum, value, at) => sum + (value - (b[at] ?? 0)) ** 2, 0)

function scaled(examples: Example[], { mean, factor }: Scale): Float32Array {
  const values = new Float32Array(examples.length * mean.length)
  examples.forEach(({ vector }, row) => {
    values.set(
      vector.map((value, at) => (value - (mean[at] ?? 0)) * factor),
      row * mean.length,
    )
  })
  return values
}

/** Converts a head to unscaled vectors. */
function unscaled(kernel: Float32Array, bias: Float32Array, { mean, factor }: Scale): Head {
  const plain = kernel.map((value) => value * factor)
  const shifted = bias.map((value, label) =>
    mean.reduce((sum, middle, at) => sum - middle * (plain[at * bias.length + label] ?? 0), value),
  )
  return { kernel: plain, bias: shifted }
}

/** The index of the label that a head predicts. */
export function labelOf({ kernel, bias }: Head, vector: Float32Array): number {
  const logits = bias.map((value, label) =>
    vector.reduce((sum, one, at) => sum + one * (kernel[at * bias.length + label] ?? 0), value),
  )
  return logits.indexOf(Math.max(...logits))
}
