// An unbundled script: TensorFlow.js on WebAssembly and sharp, used as in their documentation, on a model folder. Prints the first label
// of a photo, then the milliseconds that do not depend on how code is loaded: starting Node.js, starting WebAssembly, loading the
// model, and inference.
const started = performance.now()
const { readFileSync } = require('node:fs')
const { dirname, join } = require('node:path')
const tf = require('@tensorflow/tfjs')
const { setWasmPaths } = require('@tensorflow/tfjs-backend-wasm')
const sharp = require('sharp')

const [folder, photo] = process.argv.slice(2)
const read = (name) => readFileSync(join(folder, name))

async function main() {
  const begun = performance.now()
  setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm'))}/`)
  await tf.setBackend('wasm')
  const { modelTopology, weightsManifest } = JSON.parse(read('model.json'))
  const weightData = new Uint8Array(Buffer.concat(weightsManifest.flatMap(({ paths }) => paths.map(read))))
  const weightSpecs = weightsManifest.flatMap(({ weights }) => weights)
  const model = await tf.loadGraphModel(
    tf.io.fromMemory({ modelTopology, weightSpecs, weightData: weightData.buffer }),
  )
  const loaded = performance.now()
  const pixels = await sharp(photo)
    .resize(256, 256)
    .extract({ left: 16, top: 16, width: 224, height: 224 })
    .removeAlpha()
    .raw()
    .toBuffer()
  const decoded = performance.now()
  const image = tf.cast(tf.tensor(new Uint8Array(pixels), [1, 224, 224, 3], 'int32'), 'float32')
  const probabilities = model.predict(tf.div(tf.sub(image, 127), 128))
  const best = tf.argMax(probabilities, 1).dataSync()[0]
  const done = performance.now()
  console.log(JSON.parse(read('labels.json'))[best].className)
  console.log(started + (loaded - begun) + (done - decoded))
}

main()
