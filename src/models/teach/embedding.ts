import type { DescriptionOf } from '../../model-folder/description'
import type { Files, ModelFolder } from '../../model-folder/folder'
import { embeddingNetwork, type Head, withHead } from '../../network/embedding'
import { cutOnnx, withOnnxHead } from '../../network/onnx/embedding'
import { encode } from '../../network/onnx/graph'
import { decode } from '../../network/onnx/read'
import { readNetwork } from '../../network/read'
import { networkFiles } from '../../network/write'

/** A model that can be taught: it computes a vector for each image. */
export type BaseModel = ModelFolder<DescriptionOf<'classification' | 'embedding'>>

/** A model without its last layer. */
export interface Embedding {
  /** The files that engines run, with the vector as output. */
  files: Files
  /** The files of a classifier with these labels. */
  withHead(head: Head): Files
}

/**
 * Cuts a model before its last layer, using its graph, or its `model.onnx` if there is none.
 * @param path of its folder, for errors
 * @throws InvalidInputError when its last layer cannot be replaced
 */
export function embeddingOf({ description, files }: BaseModel, path: string): Embedding {
  const { task, input } = description
  const model = files.get('model.onnx')
  if (model && !files.has('model.json')) {
    const whole = decode(model)
    const cut = task === 'embedding' ? whole : cutOnnx(whole)
    return {
      files: new Map([['model.onnx', encode(cut)]]),
      withHead: (head) => new Map([['model.onnx', encode(withOnnxHead(cut, head))]]),
    }
  }
  const whole = readNetwork(files, input.size, path)
  const network = task === 'embedding' ? whole : embeddingNetwork(whole)
  return { files: networkFiles(network), withHead: (head) => networkFiles(withHead(network, head)) }
}
