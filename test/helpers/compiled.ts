import { readModelFolder } from '../../src/model-folder/folder'
import { readNetwork } from '../../src/network/read'
import { networkFiles, writeFiles } from '../../src/network/write'

/** Compiles the network of a model folder for all engines, a graph unchanged. @returns the folder */
export async function compiled(folder: string): Promise<string> {
  const { files, description } = await readModelFolder(folder)
  const size = 'size' in description.input ? description.input.size : 0
  await writeFiles(folder, networkFiles(readNetwork(files, size, folder)))
  return folder
}
