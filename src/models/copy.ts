import { dirname } from 'node:path'
import { readModelFolder } from '../model-folder/folder'
import { copyFiles } from './add'
import type { Description } from './describe'
import { copyOnnx, endsLinear, fitOf, logitsOf, onnxFileOf } from './import-onnx'

/** The description of a model folder, without the checksums of its files: they may be others soon. */
export async function readDescription(folder: string): Promise<Description> {
  const { description } = await readModelFolder(folder)
  const { checksums: _, ...rest } = description
  return rest
}

/**
 * Copies a model that has a `whisklens.json`.
 * @param from its folder, or the ONNX file in it
 * @throws InvalidInputError when an ONNX model is not what is said of it
 */
export async function copyModel(from: string, to: string, description: Description): Promise<Description> {
  const onnx = await onnxFileOf(from)
  if (!onnx) {
    await copyFiles(from, to)
    return description
  }
  // Others beside it, and the files of their weights, are not what is added.
  await copyFiles(dirname(onnx), to, (name) => !name.includes('.onnx'))
  const facts = await copyOnnx(onnx, to)
  const { task } = description
  if (task !== 'classification' && task !== 'embedding') return description
  const input = { ...description.input, ...fitOf(facts, description.input) }
  if (task === 'embedding') return { ...description, input }
  const logits = logitsOf(facts, description.logits || endsLinear(facts) || undefined)
  return { ...description, input, logits }
}
