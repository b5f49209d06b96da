import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import { WhisklensError } from '../../errors'
import { sha256Of } from '../../sha256'
import { readerOf } from '../network-files'
import type { CatalogueEntry } from './entry'

const version = '4.4.0'
/** Of that version, as stated by the registry. */
const integrity =
  'sha512-krC1fgeTLXtZwgdpKJ0jm7hqv0gTSRQQRL+FhOaxaJ9Wj92t42BO3csO2odwgTAgZgf2RvkwPtp0R8Aa7dc+MA=='

/** SHA-256 of the modules that contain the network and its weights: their code is run, so it must be known. */
const modules = {
  'model.min.js': 'c32f104fd562b08cdff5ed69dfe1209643afa47e792fb12751d2949aa61a397a',
  'group1-shard1of1.min.js': 'ef2e0a63f7d2c4960b37b024b669313f65d3c45cd59e9042636c55b39de53517',
} as const

/** In the order of the network's outputs (`nsfw_classes.js`). */
const classes = ['Drawing', 'Hentai', 'Neutral', 'Porn', 'Sexy']

/** The content of `model.min.js`: the `model.json` of a layers model as a module. */
interface ModelModule {
  modelTopology: object
  weightsManifest: object[]
}

/**
 * Reads a CommonJS module that contains only data.
 * @throws InvalidInputError when it is missing
 * @throws WhisklensError `wrong_checksum`
 */
async function readModule<T>(folder: string, name: keyof typeof modules): Promise<T> {
  const code = await readerOf(folder)(name)
  const found = sha256Of(code)
  if (found !== modules[name]) {
    throw new WhisklensError(
      'wrong_checksum',
      `${join(folder, name)} does not match nsfwjs ${version}: its sha256 is ${found}`,
    )
  }
  const module = { exports: undefined as T }
  runInNewContext(code.toString(), { module, exports: {} }, { filename: name })
  return module.exports
}

/** Content moderation: nsfwjs' default model, with its weights extracted from JavaScript. */
export const nsfw: CatalogueEntry = {
  id: 'nsfw',
  about: 'Moderation: neutral, drawing, sexy, porn, hentai, by the MobileNetV2 of nsfwjs',
  task: 'classification',
  megabytes: 25,
  license: 'MIT',
  write: async (folder, { from, npmPackage }) => {
    const source = from ?? (await npmPackage('nsfwjs', version, integrity))
    const inside = join(source, 'dist', 'models', 'mobilenet_v2')
    const { modelTopology, weightsManifest } = await readModule<ModelModule>(inside, 'model.min.js')
    const weights = await readModule<string>(inside, 'group1-shard1of1.min.js')
    await writeFile(join(folder, 'group1-shard1of1'), Buffer.from(weights, 'base64'))
    const model = { format: 'layers-model', modelTopology, weightsManifest }
    await writeFile(join(folder, 'model.json'), `${JSON.stringify(model)}\n`)
    const labels = classes.map((className) => ({ className }))
    await writeFile(join(folder, 'labels.json'), `${JSON.stringify(labels)}\n`)
    await writeFile(join(folder, 'LICENSE'), await readerOf(source)('LICENSE'))
    return {
      schema: 'whisklens.model/1',
      id: 'nsfw',
      task: 'classification',
      // The whole image is squeezed into the square, and scaled to 0–1.
      input: { size: 224, kernel: 'linear', mean: 0, std: 255 },
      labels: 'labels.json',
      license: 'MIT',
      description: 'Explicit images: MobileNetV2 with five labels, 8-bit weights',
      source: `npm package nsfwjs@${version}`,
    }
  },
}
