import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidInputError } from '../../errors'
import { boxModelsFolder } from '../../model-folder/folder'
import { packageOf, peerLibraries } from '../../model-folder/peer-libraries'
import { collectNetwork, digestOf, type NetworkFiles, readerOf } from '../network-files'
import type { CatalogueEntry, Sources } from './entry'

/*
 * MobileNet as @tensorflow-models/mobilenet 2.1.1 loads it from TensorFlow Hub, and the layers models of its first
 * versions, which get the same outputs when compiled. The package runs them (tasks/mobilenet.ts). Preprocessing is the
 * same: the whole image is squeezed into the square.
 */

interface Network {
  id: string
  about: string
  format: NetworkFiles['format']
  megabytes: number
  /** URL of a file of the network. */
  url: (file: string) => string
  /** See {@link digestOf}; only for networks that could be downloaded here. */
  digest?: string
}

/** A graph that outputs logits, with one for the background first; pixels are 0–1. */
const ofHub = (version: 1 | 2, alpha: string, megabytes: number): Network => ({
  id: `mobilenet-v${version}-${alpha}`,
  about: `MobileNet V${version} ${alpha}: the graph model of TensorFlow Hub`,
  format: 'graph-model',
  megabytes,
  url: (file) => {
    const name = `mobilenet_v${version}_${alpha.replace('.', '')}_224/classification/${version}`
    return `https://tfhub.dev/google/imagenet/${name}/${file}?tfjs-format=file`
  },
})

/** A network that ends in its softmax over ImageNet's classes; pixels are -1–1. */
const ofLayers = (alpha: string, megabytes: number, digest?: string): Network => ({
  id: `mobilenet-v1-${alpha}-layers`,
  about: `MobileNet V1 ${alpha}: the layers model of the package's first versions`,
  format: 'layers-model',
  megabytes,
  url: (file) => {
    const name = `mobilenet_v1_${alpha === '1.00' ? '1.0' : alpha}_224`
    return `https://storage.googleapis.com/tfjs-models/tfjs/${name}/${file}`
  },
  digest,
})

const networks: Network[] = [
  ofHub(1, '0.25', 2),
  ofHub(1, '0.50', 5),
  ofHub(1, '0.75', 10),
  ofHub(1, '1.00', 17),
  ofHub(2, '0.50', 8),
  ofHub(2, '0.75', 11),
  ofHub(2, '1.00', 14),
  ofLayers('0.25', 2, '1ea4832ecd7093da99d02196821be5ef74ecd0ab75c4be34070c7ba7523fcba0'),
  ofLayers('0.50', 5),
  ofLayers('0.75', 10),
  ofLayers('1.00', 17),
]

const size = 224

async function collect(network: Network, { from, download }: Sources): Promise<NetworkFiles> {
  const { id, format, url, digest } = network
  const found = await collectNetwork(from ? readerOf(from) : (file) => download(url(file)))
  const where = from ?? url('model.json')
  if (found.format !== format) {
    throw new InvalidInputError('model_unfit', `Expected a ${format} in ${where}, it is a ${found.format}`, {
      hint: 'whisklens model list shows the catalogue; add your own network with whisklens model add <folder> --id.',
    })
  }
  if (digest !== undefined && digestOf(found) !== digest) {
    throw new InvalidInputError(
      'model_unfit',
      `The network in ${where} is not ${id}: its sha256 is ${digestOf(found)}`,
      {
        hint: 'Add your own network under another name: whisklens model add <folder> --id.',
      },
    )
  }
  return found
}

const entryOf = (network: Network): CatalogueEntry => ({
  id: network.id,
  about: network.about,
  task: 'classification',
  megabytes: network.megabytes,
  license: 'Apache-2.0',
  needs: [packageOf(peerLibraries.mobilenet)],
  write: async (folder, sources) => {
    const { files } = await collect(network, sources)
    for (const [name, content] of files) await writeFile(join(folder, name), content)
    // The same classes, order and spelling as in the package, with WordNet ids.
    const labels = await readFile(join(boxModelsFolder(), 'efficientnet-lite0', 'labels.json'))
    await writeFile(join(folder, 'labels.json'), labels)
    const isHub = network.format === 'graph-model'
    return {
      schema: 'whisklens.model/1',
      id: network.id,
      task: 'classification',
      input: {
        size,
        kernel: 'linear',
        ...(isHub ? { mean: 0, std: 255 } : { mean: 127.5, std: 127.5 }),
      },
      labels: 'labels.json',
      family: 'mobilenet',
      logits: true,
      skip: 1,
      license: 'Apache-2.0',
      description: network.about,
      source: sources.from ? 'A folder' : network.url('model.json'),
    }
  },
})

/** MobileNet V1 and V2 at 224 pixels, for the 1,000 classes of ImageNet. */
export const mobilenets: CatalogueEntry[] = networks.map(entryOf)
