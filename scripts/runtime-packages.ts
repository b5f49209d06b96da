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
 * The npm packages in a runtime image: those of runtime/package.json, which actions of one's own can require, and the
 * libraries of its models. Versions are those of runtime/package-lock.json.
 */

const runtime = join(__dirname, '..', 'runtime')

/** Packages that only one engine needs. */
const enginePackages = { onnx: 'onnxruntime-node', 'tfjs-node': '@tensorflow/tfjs-node' }
type EngineWithPackage = keyof typeof enginePackages

/** By what `--engine` may be: the engines whose packages the image has. WebAssembly needs none. */
export const imageEngines: Record<string, EngineWithPackage[]> = {
  tfjs: ['onnx', 'tfjs-node'],
  auto: ['onnx', 'tfjs-node'],
  onnx: ['onnx'],
  'tfjs-node': ['tfjs-node'],
  wasm: [],
}

interface Wanted {
  engines: EngineWithPackage[]
  /** What models need. */
  libraries: PeerLibrary[]
  architecture: Architecture
  /** The folder that has a compiled addon of tfjs-node, if it is not to be compiled. */
  built?: string
}

/**
 * Writes the packages into `node_modules` of a folder, without what Node.js never loads.
 * @param addon where tfjs-node's addon and TensorFlow go, 450 MB that hardly ever change
 * @returns the version of each package that an action can require, and whose work all of them are
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

/** A package's own folder, below `node_modules`. */
const isPackage = (path: string): boolean =>
  /(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/.test(`node_modules/${path}`)

/** Of the packages that were copied: their licences may not have been. */
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

/** Only read by people, compilers, debuggers and tests, or only while packages are installed. */
const neverLoaded = [
  /\.(md|map|[cm]?ts|html|tsbuildinfo)$|_test\.js$/,
  /^(\.bin|\.package-lock\.json|@types|node-api-headers)(\/|$)/,
  // Builds for browsers and bundlers.
  /^@tensorflow\/(?!tfjs-node\/)[^/]+\/(?!package\.json$|LICENSE|dist\/[^/]+\.node\.js$)/,
  /^@tensorflow-models\/mobilenet\/dist\/mobilenet\./,
  // Sources, and what is in a layer of its own.
  /^@tensorflow\/tfjs-node\/(?!package\.json$|LICENSE|dist\/)/,
]

/** Of these one file is loaded, by the tasks of that name. */
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
