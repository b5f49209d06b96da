import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { installNative } from '../src/cli/install-native'
import { readModelFolder } from '../src/model-folder/folder'
import { packageOf, peerLibraries } from '../src/model-folder/peer-libraries'
import { addModel } from '../src/models/add'
import { needEntry } from '../src/models/catalogue'
import { openSources } from '../src/models/catalogue/sources'
import {
  type Architecture,
  baseFiles,
  type Files,
  libraryFiles,
  modelFiles,
  onnxFiles,
} from './runtime-files'

// Writes what a runtime image carries, a folder for each of its layers: base, model, action. Run by the Dockerfile.
// Usage: npx tsx scripts/write-runtime.ts <folder> [--engine auto] [--models "efficientnet-lite0 …"] [--arch x64|arm64]

const root = join(__dirname, '..')

/** By the names of the engines: what has to be installed for each. */
const enginePackages: Record<string, string[]> = {
  wasm: [],
  onnx: ['onnxruntime-node@1.30.0'],
  native: [],
  auto: ['onnxruntime-node@1.30.0'],
}

const tell = (what: string): void => void process.stderr.write(`${what}\n`)

const libraries = Object.values(peerLibraries)

async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [name, bytes] of Object.entries(files)) {
    const path = join(folder, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, bytes)
  }
}

/** Writes a model's folder. @returns the packages that it needs */
async function writeModel(name: string, folder: string, from: string | undefined): Promise<string[]> {
  const inBox = join(root, 'models', name)
  if (existsSync(inBox)) await writeFiles(folder, await modelFiles(inBox))
  else {
    const { write } = needEntry(name)
    const target = join(folder, 'models', name)
    const tryOut = async (added: string) => void (await readModelFolder(added))
    await addModel(name, (fresh) => write(fresh, openSources(tell, from)), { folder: target, tryOut })
  }
  const { task } = (await readModelFolder(join(folder, 'models', name))).description
  if (task === 'faces') return [packageOf(peerLibraries.faceApi)]
  if (task === 'detection') return [packageOf(peerLibraries.cocoSsd)]
  return []
}

/** Installs packages in a folder of their own and reads what is needed of them. */
async function packageFiles(packages: string[], architecture: Architecture): Promise<Files> {
  if (packages.length === 0) return {}
  const folder = await mkdtemp(join(tmpdir(), 'whisklens-runtime-'))
  try {
    tell(`npm install ${packages.join(' ')}`)
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--legacy-peer-deps']
    execFileSync('npm', ['install', '--prefix', folder, ...options, ...packages], { stdio: 'ignore' })
    const files: Files[] = []
    for (const library of libraries) {
      if (packages.includes(packageOf(library))) files.push(await libraryFiles(library, folder))
    }
    if (packages.some((name) => name.startsWith('onnx'))) files.push(await onnxFiles(architecture, folder))
    return Object.assign({}, ...files)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      arch: { type: 'string', default: process.arch },
      engine: { type: 'string', default: 'auto' },
      /** Names of folders in models/, or of the catalogue, with spaces between them. */
      models: { type: 'string', default: 'efficientnet-lite0' },
      /** The folder with the weights of a model of the catalogue, if they are not to be fetched. */
      from: { type: 'string' },
    },
  })
  const [folder] = positionals
  if (folder === undefined) throw new Error('Expected the folder to write to')
  const { engine, models, from } = values
  const arch = values.arch as Architecture
  const needed = Object.hasOwn(enginePackages, engine) ? enginePackages[engine] : undefined
  if (!needed) throw new Error(`Expected --engine to be one of: ${Object.keys(enginePackages).join(', ')}`)
  const packages = [...needed]
  for (const name of models.split(/\s+/).filter(Boolean)) {
    packages.push(...(await writeModel(name, join(folder, 'model'), from)))
  }
  const base = join(folder, 'base')
  await writeFiles(base, { ...(await baseFiles(arch)), ...(await packageFiles(packages, arch)) })
  if (engine === 'native') await installNative(join(base, 'native'), tell)
  const action = join(folder, 'action')
  await mkdir(action, { recursive: true })
  await copyFile(join(root, 'dist', 'actions', 'predict.zip'), join(action, 'predict.zip'))
  await copyFile(join(root, 'scripts', 'without-code.cjs'), join(action, 'without-code.cjs'))
}

main().catch((thrown) => {
  const { message, hint } = thrown as { message: string; hint?: string }
  tell([message, hint].filter(Boolean).join('\n'))
  process.exitCode = 1
})
