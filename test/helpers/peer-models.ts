import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type PeerLibrary, packageOf, peerLibraries } from '../../src/model-folder/peer-libraries'
import { cocoSsds } from '../../src/models/catalogue/coco-ssd'
import type { CatalogueEntry } from '../../src/models/catalogue/entry'
import { faces } from '../../src/models/catalogue/faces'
import { needs } from './needs'
import { writeSmallDetector } from './small-detector'

/*
 * Models that need an optional library: npm install --prefix <folder> --no-save --ignore-scripts <package>, and
 * NODE_PATH=<folder>/node_modules.
 */

const require = createRequire(__filename)

function folderOf({ name, file }: PeerLibrary): string | undefined {
  try {
    return dirname(dirname(require.resolve(`${name}/${file}`)))
  } catch {
    return undefined
  }
}

/** `describe` for tests that need a library. */
export const describeWith = (library: PeerLibrary, name: string, tests: () => void): void => {
  needs(!folderOf(library) && `${packageOf(library)} is not installed`).describe(name, tests)
}

const folders: string[] = []
export const removePeerModels = (): void => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
}

const unreachable = (): never => {
  throw new Error('was fetched')
}

async function write(entry: CatalogueEntry | undefined, from: string, folder: string): Promise<void> {
  if (!entry) throw new Error('there is no such entry')
  mkdirSync(folder)
  const sources = { from, npmPackage: unreachable, download: unreachable }
  const description = await entry.write(folder, sources)
  writeFileSync(join(folder, 'whisklens.json'), JSON.stringify(description))
}

/** A folder with the catalogue's models that are available offline: `faces`, and a generated `coco-ssd`. */
export async function writePeerModels(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'whisklens-models-'))
  folders.push(folder)
  const faceApi = folderOf(peerLibraries.faceApi)
  if (faceApi) await write(faces, join(faceApi, 'model'), join(folder, 'faces'))
  const detector = join(folder, '.detector')
  writeSmallDetector(detector)
  await write(
    cocoSsds.find(({ id }) => id === 'coco-ssd'),
    detector,
    join(folder, 'coco-ssd'),
  )
  return folder
}
