// A typical TensorFlow.js action without Whisklens: decodes with jpeg-js, classifies with MobileNet, and keeps the
// model for the lifetime of its container.
let model

async function main({ image, network, backend }) {
  const tf = require(backend)
  const mobilenet = require('@tensorflow-models/mobilenet')
  const jpeg = require('jpeg-js')
  const { modelTopology, weightSpecs, weights } = network
  const weightData = Uint8Array.from(Buffer.from(weights, 'base64')).buffer
  model ??= await mobilenet.load({
    version: 1,
    alpha: 0.25,
    modelUrl: tf.io.fromMemory({ modelTopology, weightSpecs, weightData }),
    inputRange: [-1, 1],
  })
  const before = tf.memory().numTensors
  const { width, height, data } = jpeg.decode(Buffer.from(image, 'base64'), { useTArray: true })
  const pixels = tf.tidy(() =>
    tf.slice(tf.tensor3d(data, [height, width, 4], 'int32'), [0, 0, 0], [-1, -1, 3]),
  )
  const predictions = await model.classify(pixels)
  pixels.dispose()
  return {
    predictions,
    left: tf.memory().numTensors - before,
    backend: tf.getBackend(),
    versions: { ...tf.version, mobilenet: mobilenet.version, sharp: require('sharp').versions.sharp },
  }
}

module.exports = { main }
