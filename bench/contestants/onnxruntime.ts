// onnxruntime-node and sharp, combined as an expert would. Arguments: network, files of images.
import { readFileSync } from 'node:fs'
import type * as OnnxRuntime from 'onnxruntime-common'
import sharp from 'sharp'
import { classifying, serve } from './serve'

const { InferenceSession, Tensor } = require('onnxruntime-node') as typeof OnnxRuntime

const [network = '', ...files] = process.argv.slice(2)
const images = files.map((file) => readFileSync(file))

async function main(): Promise<void> {
  sharp.concurrency(1)
  const session = await InferenceSession.create(network, { intraOpNumThreads: 1, interOpNumThreads: 1 })
  const [input = '', output = ''] = [session.inputNames[0], session.outputNames[0]]
  const classify = async (image: Buffer) => {
    const pixels = await sharp(image)
      .resize(256, 256, { kernel: 'cubic' })
      .extract({ left: 16, top: 16, width: 224, height: 224 })
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer()
    const values = new Float32Array(pixels.length)
    for (let i = 0; i < values.length; i++) values[i] = ((pixels[i] as number) - 127) / 128
    const outputs = await session.run({ [input]: new Tensor('float32', values, [1, 224, 224, 3]) })
    const probabilities = outputs[output]?.data as Float32Array
    return probabilities.indexOf(Math.max(...probabilities))
  }
  await classify(images[0] as Buffer)
  serve(classifying(classify, images, 4))
}

void main()
