import { readdir, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { InvalidInputError } from '../errors'
import type { SquareInput } from '../model-folder/description'
import { encode } from '../network/onnx/graph'
import {
  decode,
  describeValue,
  factsOf,
  inlineWeights,
  type OnnxFacts,
  type OnnxValue,
} from '../network/onnx/read'
import { readerOf } from './network-files'

/*
 * ONNX models from other sources: exports of PyTorch, timm, Keras.
 */

/**
 * Finds the ONNX file at a path; undefined if there is none, or a TensorFlow.js graph beside it.
 * @throws InvalidInputError for several files of which none is `model.onnx`
 */
export async function onnxFileOf(path: string): Promise<string | undefined> {
  if ((await stat(path)).isFile()) return path
  const all = await readdir(path)
  const names = all.includes('model.json') ? [] : all.filter((name) => name.endsWith('.onnx'))
  if (names.includes('model.onnx')) return join(path, 'model.onnx')
  if (names.length > 1) {
    throw new InvalidInputError(
      'bad_parameter',
      `Several ONNX models in ${path}: ${names.sort().join(', ')}`,
      {
        hint: 'Pass the path of one file.',
      },
    )
  }
  return names[0] && join(path, names[0])
}

/**
 * Copies an ONNX model to `model.onnx`, with weights stored in separate files.
 * @returns its properties
 * @throws InvalidInputError when it is not ONNX, or a file is missing
 */
export async function copyOnnx(file: string, folder: string): Promise<OnnxFacts> {
  const read = readerOf(dirname(file))
  const bytes = await read(basename(file))
  const model = decode(bytes)
  const isChanged = await inlineWeights(model, read)
  await writeFile(join(folder, 'model.onnx'), isChanged ? encode(model) : bytes)
  return factsOf(model)
}

/** @throws InvalidInputError with the model's inputs and outputs */
function refuse({ inputs, outputs }: OnnxFacts, why: string, hint?: string): never {
  const list = (values: OnnxValue[]): string => values.map(describeValue).join(', ') || 'nothing'
  throw new InvalidInputError(
    'model_unsupported',
    `The model does not fit: ${why}. Its inputs are ${list(inputs)}, its outputs ${list(outputs)}`,
    { hint },
  )
}

type Fit = Pick<SquareInput, 'size' | 'layout' | 'type'>

const types: Record<string, SquareInput['type']> = { FLOAT: 'float32', UINT8: 'uint8' }

/** Derives the layout from the axis with three channels. */
function layoutOf({ shape = [] }: OnnxValue): SquareInput['layout'] {
  const [first, last] = [shape[1], shape[3]]
  if (first === last) return undefined
  return last === 3 ? 'nhwc' : first === 3 ? 'nchw' : undefined
}

/**
 * Determines how a model takes its images.
 * @param said by the user
 * @param published by the makers, for what the model does not define
 * @throws InvalidInputError when it does not take square RGB images
 */
export function fitOf(facts: OnnxFacts, said: Partial<Fit>, published: Partial<Fit> = {}): Fit {
  const [input, ...others] = facts.inputs
  if (!input || others.length > 0) return refuse(facts, `expected one input, found ${facts.inputs.length}`)
  const type = types[input.type] ?? refuse(facts, `expected an input of FLOAT or UINT8, it is ${input.type}`)
  const { shape = ['?', '?', '?', '?'] } = input
  if (shape.length !== 4) refuse(facts, `expected an input of 4 axes, it has ${shape.length}`)
  const [count] = shape
  if (typeof count === 'number' && count !== 1)
    refuse(facts, `it takes ${count} images at once, expected one`)
  const layout =
    said.layout ??
    layoutOf(input) ??
    published.layout ??
    refuse(facts, 'its input does not define the order of its dimensions', 'Set it: --layout nchw or nhwc.')
  const [channels, rows, columns] = layout === 'nchw' ? shape.slice(1) : [shape[3], shape[1], shape[2]]
  if (typeof channels === 'number' && channels !== 3)
    refuse(facts, `it takes ${channels} channels as ${layout}`)
  const size =
    [said.size, rows, columns, published.size].find((one): one is number => typeof one === 'number') ??
    refuse(facts, 'it does not define the size of its input', 'Set it: --size 224.')
  if ([rows, columns].some((one) => typeof one === 'number' && one !== size))
    refuse(facts, `it takes images of ${rows} × ${columns} pixels, expected ${size} × ${size}`)
  return {
    size,
    ...(layout === 'nchw' && { layout }),
    ...(type === 'uint8' && { type }),
  }
}

/** Final operations that output one number per class: logits, or probabilities. */
const linear = ['Gemm', 'MatMul', 'Add', 'Conv', 'LogSoftmax']
const probable = ['Softmax', 'Sigmoid']

export const endsLinear = ({ end }: OnnxFacts): boolean => linear.includes(end)

/**
 * Determines whether a model ends before its softmax.
 * @param said by the user
 * @param values expected outputs, if known
 * @throws InvalidInputError when it does not output a value per class, or its last operation does not show which
 */
export function logitsOf(facts: OnnxFacts, said: boolean | undefined, values?: number): boolean {
  const [output, ...others] = facts.outputs
  if (!output || others.length > 0) return refuse(facts, `expected one output, found ${facts.outputs.length}`)
  if (output.type !== 'FLOAT') refuse(facts, `expected an output of FLOAT, it is ${output.type}`)
  const [, ...lengths] = output.shape ?? []
  const isKnown = lengths.length > 0 && lengths.every((length) => typeof length === 'number')
  const count = lengths.reduce<number>((product, length) => product * Number(length), 1)
  if (values !== undefined && isKnown && count !== values)
    refuse(facts, `its labels name ${values} classes, but it outputs ${count} values`)
  if (probable.includes(facts.end)) {
    if (said) refuse(facts, `it ends in a ${facts.end}, so it has no logits`)
    return false
  }
  if (said !== undefined || endsLinear(facts)) return said ?? true
  return refuse(
    facts,
    `it ends in a ${facts.end}, which does not show whether it outputs probabilities`,
    'Set --logits or --no-logits.',
  )
}
