import { existsSync } from 'node:fs'
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { defaultModel } from '../src/classifier/default-model'
import { type Architecture, modelFiles, noticesName, wasmFiles } from '../src/cli/stock/contents'
import type { Files } from '../src/cli/stock/packages'
import { readModelFolder } from '../src/model-folder/folder'
import { type PeerLibrary, peerLibraries } from '../src/model-folder/peer-libraries'
import { addModel } from '../src/models/add'
import { needEntry } from '../src/models/catalogue'
import { openSources } from '../src/models/catalogue/sources'
import {
  type Component,
  componentOf,
  modelComponent,
  tensorFlowLibraries,
  wordNet,
} from '../src/notices/component'
import { renderNotices } from '../src/notices/render'
import { imageEngines, writePackages } from './runtime-packages'

// Writes the content of a runtime image, with a folder per layer: tensorflow, base, model, action. Called by the Dockerfile.
// Usage: npx tsx scripts/write-runtime.ts <folder> [--engine tfjs] [--models "efficientnet-lite0 …"] [--arch x64|arm64]

const root = join(__dirname, '..')

const tell = (what: string): void => void process.stderr.write(`${what}\n`)

async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [name, bytes] of Object.entries(files)) {
    const path = join(folder, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, bytes)
  }
}

/** Writes a model folder. @returns the libraries that it needs */
async function writeModel(name: string, folder: string, from: string | undefined): Promise<PeerLibrary[]> {
  const inBox = join(root, 'models', name)
  if (existsSync(inBox)) await writeFiles(folder, await modelFiles(name))
  else {
    const { write } = needEntry(name)
    const target = join(folder, 'models', name)
    const warmUp = async (added: string) => void (await readModelFolder(added))
    await addModel(name, (fresh) => write(fresh, openSources(tell, from)), { folder: target, warmUp })
  }
  const { task } = (await readModelFolder(join(folder, 'models', name))).description
  if (task === 'faces') return [peerLibraries.faceApi]
  if (task === 'detection') return [peerLibraries.cocoSsd]
  return []
}

/** Components of WebAssembly and models, for the notices. */
async function otherComponents(models: string): Promise<Component[]> {
  const wasm = join(root, 'node_modules', '@tensorflow', 'tfjs-backend-wasm')
  const folders = (await readdir(models)).map((name) => join(models, name))
  return [await componentOf(wasm), ...(await Promise.all(folders.map(modelComponent))), await wordNet()]
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      arch: { type: 'string', default: process.arch },
      engine: { type: 'string', default: 'tfjs' },
      /** Folders in models/ or names in the catalogue, separated by spaces. Default: all of models/. */
      models: { type: 'string', default: '' },
      /** The image's default model, included in any case. */
      model: { type: 'string', default: '' },
      /** Folder with the weights of a catalogue model, instead of downloading them. */
      from: { type: 'string' },
      /** Folder of a tfjs-node with a compiled addon, instead of compiling it. */
      'tfjs-node': { type: 'string' },
    },
  })
  const [folder] = positionals
  if (folder === undefined) throw new Error('Expected the folder to write to')
  const { engine, models, model, from } = values
  const engines = Object.hasOwn(imageEngines, engine) ? imageEngines[engine] : undefined
  if (!engines) throw new Error(`Expected --engine to be one of: ${Object.keys(imageEngines).join(', ')}`)
  const given = models.split(/\s+/).filter(Boolean)
  const names = given.length > 0 ? given : await readdir(join(root, 'models'))
  const libraries: PeerLibrary[] = []
  for (const name of new Set([...names, model].filter((name) => name !== '' && name !== defaultModel))) {
    libraries.push(...(await writeModel(name, join(folder, 'model'), from)))
  }
  const [base, tensorFlow] = [join(folder, 'base'), join(folder, 'tensorflow')]
  await mkdir(tensorFlow, { recursive: true })
  await writeFiles(base, await wasmFiles())
  const wanted = { engines, libraries, architecture: values.arch as Architecture, built: values['tfjs-node'] }
  const { packages, components } = await writePackages(base, tensorFlow, wanted, tell)
  await writeFile(join(base, 'packages.json'), `${JSON.stringify(packages, null, 2)}\n`)
  components.push(...(await otherComponents(join(folder, 'model', 'models'))))
  if (engines.includes('tfjs-node')) components.push(await tensorFlowLibraries())
  const action = join(folder, 'action')
  await mkdir(action, { recursive: true })
  await writeFile(join(action, noticesName), renderNotices('the runtime image of Whisklens', components))
  await copyFile(join(root, 'dist', 'actions', 'predict.zip'), join(action, 'predict.zip'))
  for (const name of ['without-code.cjs', 'node-util.cjs']) {
    await copyFile(join(root, 'scripts', name), join(action, name))
  }
}

main().catch((thrown) => {
  const { message, hint } = thrown as { message: string; hint?: string }
  tell([message, hint].filter(Boolean).join('\n'))
  process.exitCode = 1
})
