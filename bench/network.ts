import { type Network, readNetwork } from '../src/classifier/network'
import { modelFolderPath, readModelFolder } from '../src/models/folder'

/** The model that comes in the box: everybody but the seed runs it. */
export const model = 'efficientnet-lite0'

/** Its network, as engines get it. */
export async function readModelNetwork(): Promise<Network> {
  const { files, description } = await readModelFolder(model)
  if (description.task !== 'classification') throw new Error(`${model} does not classify`)
  return readNetwork({ files, description }, modelFolderPath(model))
}
