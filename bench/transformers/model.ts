import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { onnx } from 'onnx-proto'

/*
 * Converts a model folder to the layout of transformers.js, with the same network and preprocessing. Its pipeline passes `pixel_values`
 * with channels first, and expects `logits`.
 */

interface Description {
  input: { size: number; resizeShortSide: number; mean: number; std: number }
}

/** @param model folder with a model.onnx for float32 input, channels last */
export async function writeModel(model: string, folder: string): Promise<void> {
  const { input } = JSON.parse(await readFile(join(model, 'whisklens.json'), 'utf8')) as Description
  const network = onnx.ModelProto.decode(await readFile(join(model, 'model.onnx')))
  await mkdir(join(folder, 'onnx'), { recursive: true })
  await writeFile(join(folder, 'onnx', 'model.onnx'), onnx.ModelProto.encode(channelsFirst(network)).finish())
  const names = Array.from({ length: 1000 }, (_, index) => [index, String(index)])
  await writeJson(join(folder, 'config.json'), {
    model_type: 'efficientnet',
    architectures: ['EfficientNetForImageClassification'],
    id2label: Object.fromEntries(names),
  })
  const ofByte = (value: number): number[] => Array(3).fill(value / 255)
  await writeJson(join(folder, 'preprocessor_config.json'), {
    image_processor_type: 'ViTImageProcessor',
    do_resize: true,
    size: { shortest_edge: input.resizeShortSide },
    resample: 3,
    do_center_crop: true,
    crop_size: { height: input.size, width: input.size },
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: ofByte(input.mean),
    image_std: ofByte(input.std),
  })
}

const writeJson = (file: string, content: object): Promise<void> => writeFile(file, JSON.stringify(content))

function channelsFirst(network: onnx.ModelProto): onnx.ModelProto {
  const graph = network.graph as onnx.GraphProto
  const [input] = graph.input
  const [output] = graph.output
  const dims = input?.type?.tensorType?.shape?.dim
  if (!input || !output || !dims) throw new Error('Expected a network with one input of known shape')
  const [inner, result] = [input.name as string, output.name as string]
  input.name = 'pixel_values'
  input.type = { tensorType: { elemType: 1, shape: { dim: [0, 3, 1, 2].map((index) => dims[index] ?? {}) } } }
  output.name = 'logits'
  graph.node = [
    onnx.NodeProto.create({
      opType: 'Transpose',
      input: ['pixel_values'],
      output: [inner],
      attribute: [{ name: 'perm', type: onnx.AttributeProto.AttributeType.INTS, ints: [0, 2, 3, 1] }],
    }),
    ...graph.node,
    onnx.NodeProto.create({ opType: 'Identity', input: [result], output: ['logits'] }),
  ] as typeof graph.node
  return network
}
