import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { asMobileNet } from '../network/mobilenet'
import { optimizeNetwork } from '../network/optimize'
import { readNetwork } from '../network/read'
import { networkFiles, writeFiles } from '../network/write'
import type { Description } from './describe'
import { collectNetwork, readerOf } from './network-files'

/**
 * Compiles the network in a folder to the files that engines read: `model.json`, folded and fused, `model.onnx` and
 * `saved_model.pb`. A graph that has a `model.onnx`, or that only a library can run, is left unchanged.
 * @throws InvalidInputError when the network is not valid
 */
export async function compileFolder(
  folder: string,
  { task, input, family }: Pick<Description, 'task' | 'input'> & { family?: 'mobilenet' },
): Promise<void> {
  const names = await readdir(folder)
  if (!names.includes('model.json') || !('size' in input)) return
  if (task !== 'classification' && task !== 'embedding') return
  const { format, files } = await collectNetwork(readerOf(folder))
  if (format === 'graph-model' && names.includes('model.onnx')) return
  const optimized = optimizeNetwork(readNetwork(files, input.size, folder))
  const network = family === 'mobilenet' ? asMobileNet(optimized) : optimized
  for (const name of files.keys()) await rm(join(folder, name))
  await writeFiles(folder, networkFiles(network))
}
