import { dirname } from 'node:path'
import { readModelFolder } from '../model-folder/folder'
import { copyFiles } from './add'
import type { Description } from './describe'
import { copyOnnx, endsLinear, fitOf, logitsOf, onnxFileOf } from './import-onnx'

/** The description of a model folder, without checksums: its files may change. */
export async function readDescription(folder: string): Promise<Description> {
  const { description } = await readModelFolder(folder)
  const { checksums: _, ...rest } = description
  return rest
}

/**
 * Copies a model that has a `whisklens.json`.
 * @param from its folder, or its ONNX file
 * @throws InvalidInputError when an ONNX model does not match its description
 */
export async function copyModel(from: string, to: string, description: Description): Promise<Description> {
  const onnx = await onnxFileOf(from)
  if (!onnx) {
    await copyFiles(from, to)
    return description
  }
  // Skip other ONNX models in the folder, and their weights.
  await copyFiles(dirname(onnx), to, (name) => !name.includes('.onnx'))
  const facts = await copyOnnx(onnx, to)
  const { task } = description
  if (task !== 'classification' && task !== 'embedding') return description
  const input = { ...description.input, ...fitOf(facts, description.input) }
  if (task === 'embedding') return { ...description, input }
  const logits = logitsOf(facts, description.logits || endsLinear(facts) || undefined)
  return { ...description, input, logits }
}
