import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidInputError } from '../../errors'
import { packageOf, peerLibraries } from '../../model-folder/peer-libraries'
import { collectNetwork, readerOf } from '../network-files'
import classes from './coco-classes.json'
import type { CatalogueEntry } from './entry'

/** The networks of @tensorflow-models/coco-ssd 2.2.3, by their folders on its server. */
const networks = {
  'coco-ssd': ['ssdlite_mobilenet_v2', 'SSD on MobileNet V2, lite', 18],
  'coco-ssd-mobilenet-v1': ['ssd_mobilenet_v1', 'SSD on MobileNet V1', 27],
  'coco-ssd-mobilenet-v2': ['ssd_mobilenet_v2', 'SSD on MobileNet V2', 67],
} as const

const entryOf = (id: string, network: string, name: string, megabytes: number): CatalogueEntry => ({
  id,
  about: `Objects of COCO's 80 classes and where they are: ${name}`,
  task: 'detection',
  megabytes,
  license: 'Apache-2.0',
  needs: [packageOf(peerLibraries.cocoSsd)],
  write: async (folder, { from, download }) => {
    const url = `https://storage.googleapis.com/tfjs-models/savedmodel/${network}`
    const read = from ? readerOf(from) : (file: string) => download(`${url}/${file}`)
    const { format, files } = await collectNetwork(read)
    if (format !== 'graph-model') {
      throw new InvalidInputError('bad_model', `Expected a graph-model in ${from ?? url}, it is a ${format}`)
    }
    for (const [file, content] of files) await writeFile(join(folder, file), content)
    await writeFile(join(folder, 'labels.json'), `${JSON.stringify(classes)}\n`)
    return {
      schema: 'whisklens.model/1',
      id,
      task: 'detection',
      // The network itself resizes to 300 pixels.
      input: { longestSide: 640, kernel: 'linear' },
      labels: 'labels.json',
      license: 'Apache-2.0',
      description: `Finds objects of COCO's 80 classes: ${name}`,
      source: from ? 'A folder' : `${url}/model.json`,
    }
  },
})

/** The models behind max-object-detector. */
export const cocoSsds: CatalogueEntry[] = Object.entries(networks).map(([id, [network, name, megabytes]]) =>
  entryOf(id, network, name, megabytes),
)
