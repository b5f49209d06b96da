import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { defaultModel, modelFor } from '../src/classifier/default-model'

/*
 * What `classify` and `predict` need beside their own bundle: a model, what runs it, sharp, and libheif-js. A stock
 * zip carries all of it; the runtime image has both decoders among its packages (runtime-packages.ts).
 */

/**
 * The actions that classify: the program with the models lies beside their own. Every other one is small and the same in
 * both manifests.
 */
export const classifying = ['classify', 'predict']

export type Architecture = 'x64' | 'arm64'

/** Files by their paths below the folder they are unpacked to. */
export type Files = Record<string, Uint8Array>

const root = join(__dirname, '..')

/** What is only read by people, compilers and module systems that are not ours. */
const isNeeded = (path: string): boolean => !/\.(md|mjs|map|ts|cts|mts)$|\/(src|install)\//.test(path)

/** WebAssembly with threads is left out: Node runs one thread of it. */
const wasmBinaries = ['tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm']

/** @param base the folder that the paths are below */
async function readFolder(folder: string, base: string): Promise<Files> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const files: Files = {}
  for (const path of paths.sort()) files[relative(base, path)] = await readFile(path)
  return files
}

/** Node's own rule: a package's dependency lies in the nearest `node_modules` above it. */
function findPackage(name: string, from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', name)
    if (existsSync(found)) return found
    if (folder === dirname(folder)) break
  }
  throw new Error(
    `${name} is not installed. For another platform: npm ci --os linux --cpu <x64 or arm64> --libc glibc`,
  )
}

/** sharp's package, its binary for one architecture, and all that they depend on. */
async function sharpFolders(architecture: Architecture): Promise<string[]> {
  const folders = new Set<string>()
  const visit = async (folder: string, also: string[]): Promise<void> => {
    if (folders.has(folder)) return
    folders.add(folder)
    const { dependencies = {} } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
    for (const name of [...Object.keys(dependencies), ...also]) await visit(findPackage(name, folder), [])
  }
  const platform = `linux-${architecture}`
  await visit(findPackage('sharp', root), [`@img/sharp-${platform}`, `@img/sharp-libvips-${platform}`])
  return [...folders]
}

/** A model's folder. */
export async function modelFiles(folder: string): Promise<Files> {
  const files = await readFolder(folder, folder)
  return Object.fromEntries(
    Object.entries(files).map(([path, bytes]) => [join('models', basename(folder), path), bytes]),
  )
}

/** TensorFlow.js' WebAssembly binaries. */
export async function wasmFiles(): Promise<Files> {
  const files: Files = {}
  const wasm = join(root, 'node_modules', '@tensorflow', 'tfjs-backend-wasm', 'dist')
  for (const name of wasmBinaries) files[join('wasm', name)] = await readFile(join(wasm, name))
  return files
}

/** @throws Error when sharp is not installed for the architecture */
async function sharpFiles(architecture: Architecture): Promise<Files> {
  const files: Files = {}
  const nested = /node_modules\/.*node_modules\//
  for (const folder of await sharpFolders(architecture)) {
    for (const [path, bytes] of Object.entries(await readFolder(folder, root))) {
      // A nested package is visited by itself, if anything needs it.
      const belongs = !nested.test(path) || nested.test(`${relative(root, folder)}/`)
      if (isNeeded(path) && belongs) files[path] = bytes
    }
  }
  return files
}

/** libheif-js has builds for browsers and bundlers as well. Its licence goes with it, as it demands. */
export const heifNeeded = /^libheif-js\/(package\.json|LICENSE|libheif-wasm\/(LICENSE|libheif\.(js|wasm)))$/

/** libheif, compiled to WebAssembly. */
async function heifFiles(): Promise<Files> {
  const files = await readFolder(findPackage('libheif-js', root), root)
  return Object.fromEntries(
    Object.entries(files).filter(([path]) => heifNeeded.test(path.replace('node_modules/', ''))),
  )
}

/** ONNX Runtime for one architecture: its package carries those of all platforms, 290 MB. */
async function onnxFiles(architecture: Architecture): Promise<Files> {
  const runtime = findPackage('onnxruntime-node', root)
  const folders = [runtime, findPackage('onnxruntime-common', runtime)]
  const all = await Promise.all(folders.map((folder) => readFolder(folder, root)))
  const isNeededHere = (path: string) => !path.includes('/bin/') || path.includes(`/linux/${architecture}/`)
  return Object.fromEntries(
    Object.entries(Object.assign({}, ...all) as Files).filter(
      ([path]) => isNeeded(path) && isNeededHere(path) && !path.includes('/esm/'),
    ),
  )
}

/** What belongs beside the bundle in a zip. @param model by default the one in the box that suits the engine */
export async function stockFiles(
  architecture: Architecture,
  engine: 'onnx' | 'wasm',
  model = modelFor(defaultModel, engine),
): Promise<Files> {
  return {
    ...(await modelFiles(join(root, 'models', model))),
    ...(engine === 'onnx' ? await onnxFiles(architecture) : await wasmFiles()),
    ...(await sharpFiles(architecture)),
    ...(await heifFiles()),
  }
}
