import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import type { CatalogueEntry } from './entry'

const version = '4.4.0'
/** As the registry states it for that version. */
const integrity =
  'sha512-krC1fgeTLXtZwgdpKJ0jm7hqv0gTSRQQRL+FhOaxaJ9Wj92t42BO3csO2odwgTAgZgf2RvkwPtp0R8Aa7dc+MA=='

/** In the order of the network's outputs, `nsfw_classes.js`. */
const classes = ['Drawing', 'Hentai', 'Neutral', 'Porn', 'Sexy']

/** What the package's `model.min.js` is: a layers model's `model.json` as a module. */
interface ModelModule {
  modelTopology: object
  weightsManifest: { paths: string[] }[]
}

/** The value of a CommonJS module that is nothing but data: run where there is nothing but the module itself. */
async function readModule<T>(path: string): Promise<T> {
  const module = { exports: undefined as T }
  runInNewContext(await readFile(path, 'utf8'), { module, exports: {} }, { filename: path })
  return module.exports
}

/** What is fit for everybody to see: nsfwjs' default model, its weights taken out of their JavaScript. */
export const nsfw: CatalogueEntry = {
  id: 'nsfw',
  about: 'Moderation: neutral, drawing, sexy, porn, hentai, by the MobileNetV2 of nsfwjs',
  task: 'classification',
  megabytes: 25,
  license: 'MIT',
  write: async (folder, { from, npmPackage }) => {
    const source = from ?? (await npmPackage('nsfwjs', version, integrity))
    const modules = join(source, 'dist', 'models', 'mobilenet_v2')
    const { modelTopology, weightsManifest } = await readModule<ModelModule>(join(modules, 'model.min.js'))
    for (const path of weightsManifest.flatMap(({ paths }) => paths)) {
      const weights = await readModule<string>(join(modules, `${path}.min.js`))
      await writeFile(join(folder, path), Buffer.from(weights, 'base64'))
    }
    const model = { format: 'layers-model', modelTopology, weightsManifest }
    await writeFile(join(folder, 'model.json'), `${JSON.stringify(model)}\n`)
    const labels = classes.map((className) => ({ className }))
    await writeFile(join(folder, 'labels.json'), `${JSON.stringify(labels)}\n`)
    await copyFile(join(source, 'LICENSE'), join(folder, 'LICENSE'))
    return {
      schema: 'whisklens.model/1',
      id: 'nsfw',
      task: 'classification',
      format: 'layers-model',
      // Squeezed whole into the square, and scaled to 0–1.
      input: { size: 224, kernel: 'linear', mean: 0, std: 255 },
      labels: 'labels.json',
      license: 'MIT',
      description: 'What is fit for everybody to see: MobileNetV2 with five labels, weights of 8 bits',
      source: `npm package nsfwjs@${version}`,
    }
  },
}
