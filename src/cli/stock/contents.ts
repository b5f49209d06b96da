import { join } from 'node:path'
import { defaultModel, modelFor } from '../../classifier/default-model'
import { type Component, componentOf, modelComponent, wordNet } from '../../notices/component'
import { homeFolder } from '../../paths'
import { type Files, findPackage, readFiles, withDependencies } from './packages'

/*
 * Files that `classify` and `predict` need beside their bundle: a model, an engine, sharp and libheif-js. A stock zip contains
 * all of them; in the runtime image, both decoders are installed packages (scripts/runtime-packages.ts).
 */

/** Actions that classify and so carry models. All others are small, and the same in both manifests. */
export const classifying = ['classify', 'predict']

/** File with third-party notices in a package, zip or image. */
export const noticesName = 'THIRD-PARTY-NOTICES.txt'

export type Architecture = 'x64' | 'arm64'
export type StockEngine = 'onnx' | 'wasm'

/** Leaves out documentation, sources, types and other module formats. */
const isNeeded = (path: string): boolean =>
  !/\.(md|mjs|map|ts|cts|mts)$|^(src|install)\/|(^|\/)node_modules\//.test(path)

/** Leaves out builds for browsers and bundlers, and keeps the licence, which must be included. */
export const isHeifNeeded = (path: string): boolean =>
  /^(package\.json|LICENSE|libheif-wasm\/(LICENSE|libheif\.(js|wasm)))$/.test(path)

/** A model's folder. */
export const modelFiles = (name: string): Promise<Files> =>
  readFiles(join(homeFolder(), 'models', name), `models/${name}`)

/** TensorFlow.js' WebAssembly binaries. */
export const wasmFiles = (): Promise<Files> => readFiles(join(homeFolder(), 'dist', 'wasm'), 'wasm')

/** Files beside an action's bundle, and whose work they are. */
export interface StockContents {
  files: Files
  components: Component[]
}

async function packageFiles(
  folders: Map<string, string>,
  isNeeded: (path: string) => boolean,
): Promise<StockContents> {
  const files: Files = {}
  for (const [name, folder] of folders)
    Object.assign(files, await readFiles(folder, `node_modules/${name}`, isNeeded))
  return { files, components: await Promise.all([...folders.values()].map(componentOf)) }
}

/** sharp, its binary for one architecture, and their dependencies. */
async function sharpContents(architecture: Architecture): Promise<StockContents> {
  const binaries = [`@img/sharp-linux-${architecture}`, `@img/sharp-libvips-linux-${architecture}`]
  return packageFiles(await withDependencies('sharp', homeFolder(), binaries), isNeeded)
}

/** libheif as WebAssembly. */
async function heifContents(): Promise<StockContents> {
  const folder = await findPackage('libheif-js', homeFolder())
  return packageFiles(new Map([['libheif-js', folder]]), isHeifNeeded)
}

/** ONNX Runtime for one architecture; its package has all platforms, 290 MB. */
async function onnxContents(architecture: Architecture): Promise<StockContents> {
  const runtime = await findPackage('onnxruntime-node', homeFolder())
  const folders = [
    ['onnxruntime-node', runtime],
    ['onnxruntime-common', await findPackage('onnxruntime-common', runtime)],
  ] as const
  const isForHere = (path: string) =>
    path.startsWith('bin/') ? path.includes(`/linux/${architecture}/`) : !path.startsWith('dist/esm/')
  return packageFiles(new Map(folders), (path) => isNeeded(path) && isForHere(path))
}

async function wasmContents(): Promise<StockContents> {
  return { files: await wasmFiles(), components: [] }
}

async function modelContents(name: string): Promise<StockContents> {
  const components = [await modelComponent(join(homeFolder(), 'models', name)), await wordNet()]
  return { files: await modelFiles(name), components }
}

/**
 * The files beside the bundle in a stock zip.
 * @param model default: the bundled model that suits the engine
 * @throws InvalidInputError for a missing package
 * @throws WhisklensError `download_failed` if binaries of another platform cannot be fetched
 */
export async function stockContents(
  architecture: Architecture,
  engine: StockEngine,
  model = modelFor(defaultModel, engine),
): Promise<StockContents> {
  const all = [
    await modelContents(model),
    engine === 'onnx' ? await onnxContents(architecture) : await wasmContents(),
    await sharpContents(architecture),
    await heifContents(),
  ]
  return {
    files: Object.assign({}, ...all.map(({ files }) => files)),
    components: all.flatMap(({ components }) => components),
  }
}
