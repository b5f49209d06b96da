import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Calibration } from '../../scripts/convert-efficientnet-lite/int8/calibration'
import { NetworkBuilder, ofFloats } from '../../src/network/builder'
import type { Network } from '../../src/network/graph'
import { convolution, dense, depthwise, type Parameters, spatialMean } from '../../src/network/operations'
import { randomNumbers } from '../../src/random-numbers'
import { loadNetwork } from './network'

/* A small random network with the operations of an EfficientNet-Lite. */

export const size = 13
export const classes = 10

export function smallNetwork(): Network {
  const random = randomNumbers(7)
  const graph = new NetworkBuilder()
  const values = (length: number, scale: number) =>
    Float32Array.from({ length }, () => (random() * 2 - 1) * scale)
  const parameters = (name: string, shape: number[], channels: number): Parameters => {
    const length = shape.reduce((product, axis) => product * axis, 1)
    return {
      kernel: graph.constant(`${name}/kernel`, shape, values(length, 3 / Math.sqrt(length / channels))),
      bias: graph.constant(`${name}/bias`, [channels], values(channels, 0.5)),
    }
  }
  const relu6 = { activation: 'Relu6' } as const
  const image = graph.input('image', [size, size, 3])
  const stem = parameters('stem', [3, 3, 3, 8], 8)
  const first = convolution(graph, 'stem', image, stem, { stride: 2, ...relu6 })
  const slide = depthwise(graph, 'depthwise', first, parameters('depthwise', [5, 5, 8, 1], 8), relu6)
  const project = convolution(graph, 'project', slide, parameters('project', [1, 1, 8, 8], 8))
  const sum = graph.add('add', 'AddV2', [project, first], ofFloats)
  const head = convolution(graph, 'head', sum, parameters('head', [1, 1, 8, 32], 32), relu6)
  const pooled = spatialMean(graph, 'pool', head)
  const logits = dense(graph, 'logits', pooled, parameters('logits', [32, classes], classes))
  return graph.network(size, graph.add('probabilities', 'Softmax', [logits], ofFloats), [classes])
}

const measured = ['image', 'stem', 'depthwise', 'project', 'add', 'head', 'pool']

/** What calibrate.py would measure on one image. @param pixels 0–255 */
export async function calibrate(network: Network, pixels: Uint8Array): Promise<Calibration> {
  const outputs = Object.fromEntries(measured.slice(1).map((name) => [name, { name }]))
  const predictor = await loadNetwork('cpu', { ...network, signature: { outputs } })
  const image = Float32Array.from(pixels, (value) => (value - 127) / 128)
  const tensors = [image, ...(await predictor.predict(image))]
  predictor.dispose()
  const channels = [3, 8, 8, 8, 8, 32, 32]
  return Object.fromEntries(
    measured.map((name, index) => [name, statisticsOf(tensors[index] ?? image, channels[index] ?? 1)]),
  )
}

function statisticsOf(values: Float32Array, channels: number): Calibration[string] {
  const mean = Array.from({ length: channels }, (_, channel) => {
    const own = values.filter((_, index) => index % channels === channel)
    return own.reduce((sum, value) => sum + value, 0) / own.length
  })
  return { range: [Math.min(...values), Math.max(...values)], mean }
}

/** Writes a model folder. */
export function writeModel(folder: string, onnx: Uint8Array, type: 'uint8' | 'float32'): string {
  mkdirSync(folder)
  const description = {
    ...{ schema: 'whisklens.model/1', id: 'small', task: 'classification', labels: 'labels.json' },
    input: { size, kernel: 'linear', mean: 127, std: 128, type },
    ...{ license: 'Apache-2.0', description: 'Random', source: 'A test' },
  }
  writeFileSync(join(folder, 'model.onnx'), onnx)
  writeFileSync(join(folder, 'whisklens.json'), JSON.stringify(description))
  const labels = Array.from({ length: classes }, (_, index) => ({ className: `class ${index}` }))
  writeFileSync(join(folder, 'labels.json'), JSON.stringify(labels))
  return folder
}
