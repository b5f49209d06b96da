/** An inverted residual block: expand (1×1) → depthwise → project (1×1), with the input added where shapes allow. */
export interface Block {
  kernel: 3 | 5
  stride: 1 | 2
  inputChannels: number
  /** How often wider the depthwise convolution is than the input; 1 leaves the expansion out. */
  expansion: 1 | 6
  outputChannels: number
  /** Whether the input is added to the output. */
  residual: boolean
}

type Stage = [repeats: number, kernel: 3 | 5, stride: 1 | 2, expansion: 1 | 6, outputChannels: number]

export const imageSize = 224
export const classCount = 1000
export const batchNormEpsilon = 1e-3
/** The stem and the head keep their width in all Lite models. */
export const stemChannels = 32
export const headChannels = 1280

/** EfficientNet-B0's stages (Tan and Le, 2019, table 1); Lite drops squeeze-and-excitation and has relu6 for swish. */
const stages: Stage[] = [
  [1, 3, 1, 1, 16],
  [2, 3, 2, 6, 24],
  [2, 5, 2, 6, 40],
  [3, 3, 2, 6, 80],
  [3, 5, 1, 6, 112],
  [4, 5, 2, 6, 192],
  [1, 3, 1, 6, 320],
]

/** The 16 blocks of EfficientNet-Lite0, in order. Only the first block of a stage strides and changes the width. */
export function blocks(): Block[] {
  let inputChannels = stemChannels
  return stages.flatMap(([repeats, kernel, stride, expansion, outputChannels]) =>
    Array.from({ length: repeats }, (_, repeat): Block => {
      const block: Block = {
        kernel,
        stride: repeat === 0 ? stride : 1,
        inputChannels,
        expansion,
        outputChannels,
        residual: repeat > 0,
      }
      inputChannels = outputChannels
      return block
    }),
  )
}
