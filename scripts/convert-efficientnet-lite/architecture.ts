/** An inverted residual block: expand (1×1) → depthwise → project (1×1), with the input added where shapes allow. */
export interface Block {
  kernel: 3 | 5
  stride: 1 | 2
  inputChannels: number
  /** Expansion factor of the depthwise convolution; 1 for none. */
  expansion: 1 | 6
  outputChannels: number
  /** Whether the input is added to the output. */
  residual: boolean
}

type Stage = [repeats: number, kernel: 3 | 5, stride: 1 | 2, expansion: 1 | 6, outputChannels: number]

export const classCount = 1000
export const batchNormEpsilon = 1e-3
/** Channels of stem and head, which are not scaled. */
export const stemChannels = 32
export const headChannels = 1280

/** A Lite model: compound scaling of Lite0 (Tan and Le, 2019) and image size. */
export interface Architecture {
  /** Factor on the channels of the blocks. */
  width: number
  /** Factor on the repeats of a stage, except the first and last. */
  depth: number
  /** Side of the input, pixels. */
  imageSize: number
  /** Size of the shorter side before the centre crop, pixels. */
  shortSide: number
}

export const lite0: Architecture = { width: 1, depth: 1, imageSize: 224, shortSide: 256 }
export const lite2: Architecture = { width: 1.1, depth: 1.2, imageSize: 260, shortSide: 292 }

/** Stages of EfficientNet-B0 (Tan and Le, 2019, table 1); Lite drops squeeze-and-excitation and uses relu6 instead of swish. */
const stages: Stage[] = [
  [1, 3, 1, 1, 16],
  [2, 3, 2, 6, 24],
  [2, 5, 2, 6, 40],
  [3, 3, 2, 6, 80],
  [3, 5, 1, 6, 112],
  [4, 5, 2, 6, 192],
  [1, 3, 1, 6, 320],
]

/** The nearest multiple of 8, or the next one if that removes more than a tenth. */
function scaledChannels(channels: number, width: number): number {
  const nearest = Math.max(8, Math.floor((channels * width + 4) / 8) * 8)
  return nearest < 0.9 * channels * width ? nearest + 8 : nearest
}

/** Blocks of an EfficientNet-Lite, in order; 16 in Lite0. Only the first block of a stage strides and changes the width. */
export function blocks({ width, depth }: Architecture): Block[] {
  let inputChannels = stemChannels
  return stages.flatMap(([repeats, kernel, stride, expansion, channels], stage) => {
    const isOuter = stage === 0 || stage === stages.length - 1
    const length = isOuter ? repeats : Math.ceil(depth * repeats)
    return Array.from({ length }, (_, repeat): Block => {
      const outputChannels = scaledChannels(channels, width)
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
    })
  })
}
