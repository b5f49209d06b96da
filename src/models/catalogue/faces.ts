import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packageOf, peerLibraries } from '../../model-folder/peer-libraries'
import { readerOf } from '../network-files'
import type { CatalogueEntry, Sources } from './entry'

const { faceApi } = peerLibraries

/** Of the version in {@link peerLibraries}, as stated by the registry. */
const integrity =
  'sha512-WDMmK3CfNLo8jylWqMoQgf4nIst3M0fzx1dnac96wv/dvMTN4DxC/Pq1DGtduDk1lktCamQ3MIDXFnvrdHTXDw=='

/** The networks for detecting faces, emotions and age. */
const networks = ['ssd_mobilenetv1_model', 'face_expression_model', 'age_gender_model']

/** The emotions of MAX in its order; ids are positions. face-api has all but contempt. */
const emotions = ['neutral', 'happiness', 'surprise', 'sadness', 'anger', 'disgust', 'fear', 'contempt']

async function weightsFolder({ from, npmPackage }: Sources): Promise<string> {
  return from ?? join(await npmPackage(faceApi.name, faceApi.version, integrity), 'model')
}

/** Faces, emotions and age: the models behind max-facial-emotion-classifier and max-facial-age-estimator. */
export const faces: CatalogueEntry = {
  id: 'faces',
  about: 'Faces with their emotions and age, by the networks of face-api',
  task: 'faces',
  megabytes: 13,
  license: 'MIT',
  needs: [packageOf(faceApi)],
  write: async (folder, sources) => {
    const read = readerOf(await weightsFolder(sources))
    for (const file of networks.flatMap((name) => [`${name}-weights_manifest.json`, `${name}.bin`])) {
      await writeFile(join(folder, file), await read(file))
    }
    const labels = emotions.map((className) => ({ className }))
    await writeFile(join(folder, 'labels.json'), `${JSON.stringify(labels)}\n`)
    return {
      schema: 'whisklens.model/1',
      id: 'faces',
      task: 'faces',
      // Enough for faces in a group; the detector itself uses 512 pixels.
      input: { longestSide: 1024, kernel: 'linear' },
      labels: 'labels.json',
      license: 'MIT',
      description: 'Finds faces, and estimates what they express and how old they are',
      source: `npm package ${packageOf(faceApi)}`,
    }
  },
}
