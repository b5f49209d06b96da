import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { addonFolders, compileAddon } from '../src/cli/doctor/tfjs-node/addon'
import { type Architecture, isHeifNeeded } from '../src/cli/stock/contents'
import { type PeerLibrary, peerLibraries } from '../src/model-folder/peer-libraries'
import { type Component, componentOf } from '../src/notices/component'

/*
 * The npm packages in a runtime image: those of runtime/package.json, which your own actions can require, and the libraries of its
 * models. Versions are in runtime/package-lock.json.
 */

const runtime = join(__dirname, '..', 'runtime')

/** Packages needed by a single engine. */
const enginePackages = { onnx: 'onnxruntime-node', 'tfjs-node': '@tensorflow/tfjs-node' }
type EngineWithPackage = keyof typeof enginePackages

/** Engine packages in the image, by the value of `--engine`. WebAssembly needs none. */
export const imageEngines: Record<string, EngineWithPackage[]> = {
  tfjs: ['onnx', 'tfjs-node'],
  auto: ['onnx', 'tfjs-node'],
  onnx: ['onnx'],
  'tfjs-node': ['tfjs-node'],
  wasm: [],
}

interface Wanted {
  engines: EngineWithPackage[]
  /** Libraries needed by models. */
  libraries: PeerLibrary[]
  architecture: Architecture
  /** Folder with a compiled addon of tfjs-node, to be used instead of compiling it. */
  built?: string
}

/**
 * Installs the packages into `node_modules` of a folder, without files that Node.js never loads.
 * @param addon folder for tfjs-node's addon and TensorFlow, 450 MB that rarely change
 * @returns versions of the packages that actions can require, and the components for the notices
 */
export async function writePackages(
  folder: string,
  addon: string,
  { engines, libraries, architecture, built }: Wanted,
  tell: (step: string) => void,
): Promise<{ packages: Record<string, string>; components: Component[] }> {
  const installed = await mkdtemp(join(tmpdir(), 'whisklens-runtime-'))
  try {
    const packages = await packagesOf(engines, libraries)
    tell(`npm install ${Object.keys(packages).join(' ')}`)
    await install(installed, packages, architecture)
    if (engines.includes('tfjs-node')) {
      if (!built) await compileAddon(installed, architecture, tell)
      for (const made of addonFolders)
        await cp(join(built ?? installed, made), join(addon, made), { recursive: true })
    }
    await copyNeeded(installed, folder, architecture)
    return { packages, components: await componentsIn(installed, folder) }
  } finally {
    await rm(installed, { recursive: true, force: true })
  }
}

/** Whether a path is the root of a package. */
const isPackage = (path: string): boolean =>
  /(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/.test(`node_modules/${path}`)

/** Components of the copied packages, read from the installation, which has their licences. */
async function componentsIn(installed: string, folder: string): Promise<Component[]> {
  const copied = join(folder, 'node_modules')
  const entries = await readdir(copied, { recursive: true, withFileTypes: true })
  const names = entries
    .filter((entry) => entry.isFile() && entry.name === 'package.json')
    .map((entry) => relative(copied, entry.parentPath))
    .filter(isPackage)
  return Promise.all(names.map((name) => componentOf(join(installed, 'node_modules', name))))
}

async function packagesOf(
  engines: EngineWithPackage[],
  libraries: PeerLibrary[],
): Promise<Record<string, string>> {
  const { dependencies } = JSON.parse(await readFile(join(runtime, 'package.json'), 'utf8'))
  const unwanted = Object.entries(enginePackages)
    .filter(([engine]) => !engines.includes(engine as EngineWithPackage))
    .map(([, name]) => name)
  const all: [string, string][] = [
    ...Object.entries<string>(dependencies).filter(([name]) => !unwanted.includes(name)),
    ...libraries.map(({ name, version }): [string, string] => [name, version]),
  ]
  return Object.fromEntries(all)
}

async function install(
  folder: string,
  dependencies: Record<string, string>,
  architecture: Architecture,
): Promise<void> {
  const { devDependencies } = JSON.parse(await readFile(join(runtime, 'package.json'), 'utf8'))
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ private: true, dependencies, devDependencies }),
  )
  await copyFile(join(runtime, 'package-lock.json'), join(folder, 'package-lock.json'))
  const platform = ['--os', 'linux', '--cpu', architecture, '--libc', 'glibc']
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--legacy-peer-deps', ...platform]
  execFileSync('npm', ['install', ...options], { cwd: folder, stdio: 'ignore' })
}

/** Files for people, compilers, debuggers, tests and installation scripts. */
const neverLoaded = [
  /\.(md|map|[cm]?ts|html|tsbuildinfo)$|_test\.js$/,
  /^(\.bin|\.package-lock\.json|@types|node-api-headers)(\/|$)/,
  // Builds for browsers and bundlers.
  /^@tensorflow\/(?!tfjs-node\/)[^/]+\/(?!package\.json$|LICENSE|dist\/[^/]+\.node\.js$)/,
  /^@tensorflow-models\/mobilenet\/dist\/mobilenet\./,
  // Sources, and files in a layer of their own.
  /^@tensorflow\/tfjs-node\/(?!package\.json$|LICENSE|dist\/)/,
]

/** Libraries of which a single file is loaded. */
const libraryFiles = [peerLibraries.cocoSsd, peerLibraries.faceApi].map(({ name, file }) => ({
  folder: `${name}/`,
  needed: [file, 'package.json', 'LICENSE'].map((path) => `${name}/${path}`),
}))

function isNeeded(path: string, architecture: Architecture): boolean {
  const library = libraryFiles.find(({ folder }) => path.startsWith(folder))
  if (library) return library.needed.includes(path)
  if (path.startsWith('libheif-js/')) return isHeifNeeded(path.slice('libheif-js/'.length))
  if (/^onnxruntime-node\/bin\//.test(path)) return path.includes(`/linux/${architecture}/`)
  return !neverLoaded.some((pattern) => pattern.test(path))
}

async function copyNeeded(from: string, to: string, architecture: Architecture): Promise<void> {
  const source = join(from, 'node_modules')
  for (const entry of await readdir(source, { recursive: true, withFileTypes: true })) {
    const path = relative(source, join(entry.parentPath, entry.name))
    if (!entry.isFile() || !isNeeded(path, architecture)) continue
    const target = join(to, 'node_modules', path)
    if (!existsSync(dirname(target))) await mkdir(dirname(target), { recursive: true })
    await copyFile(join(source, path), target)
  }
}
