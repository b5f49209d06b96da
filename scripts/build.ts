import { createHash } from 'node:crypto'
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type BuildOptions, type BuildResult, build, type Plugin } from 'esbuild'
import { type Zippable, zipSync } from 'fflate'
import { classifying, noticesName } from '../src/cli/stock/contents'
import { zipDate } from '../src/cli/stock/zip-date'
import { modelComponent, samplesComponent } from '../src/notices/component'
import { renderNotices } from '../src/notices/render'
import { buildGallery, galleryFiles } from './build-gallery'
import { componentsOf } from './bundled'
import { writeDeclarations } from './declarations'

/*
 * Builds dist: a bundle for the command line and one per process that it starts, a zip per action, the WebAssembly of TensorFlow.js,
 * and the third-party notices of all of it. The same input gives the same bytes.
 */

const root = join(__dirname, '..')
const dist = join(root, 'dist')

/** Build folder, moved over dist at the end: running processes never miss a file. */
const fresh = join(dist, `.build-${process.pid}`)

/**
 * Not bundled: native packages, and files that must stay separate because of their licence. They are in node_modules or in the
 * runtime image. TensorFlow.js would use node-fetch to download models; ours are in folders, and leaving it out makes bundles a third
 * of a megabyte smaller.
 */
const external = ['sharp', 'libheif-js', 'node-fetch']

const options: BuildOptions = {
  alias: { url: join(root, 'src', 'node-url.ts') },
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  external,
  minifySyntax: true,
  minifyWhitespace: true,
  keepNames: true,
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
}

/** Entry points by the names of their bundles in dist/. */
const programs = {
  'cli-classify': 'src/cli/main-classify.ts',
  runtime: 'src/local/containers/runtime.ts',
  inference: 'src/classifier/inference/program.ts',
  tensorflow: 'src/cli/tensorflow.ts',
}

/**
 * Programs that load TensorFlow.js from a separate bundle when an engine needs it: each worker parses its own bundle completely, of
 * which TensorFlow.js would be four fifths.
 */
const programsBeside = {
  cli: 'src/cli/main.ts',
  index: 'src/index.ts',
  'classify-worker': 'src/library/classify/worker.ts',
}

const tensorFlowBeside: Plugin = {
  name: 'tensorflow-beside',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^@tensorflow\// }, () => ({ path: './tensorflow.cjs', external: true })),
}

/** Uses require(): external packages are CommonJS. */
const beside: BuildOptions = { plugins: [tensorFlowBeside], supported: { 'dynamic-import': false } }

/**
 * `nodejs:default` in a manifest may be older than the code supports. The directive must come first.
 */
const banner = {
  js: `"use strict";if(parseInt(process.versions.node)<20)throw new Error("Whisklens needs nodejs:20 or later, and this kind is Node.js "+process.version+": deploy it with another");`,
}

/** Input files of each bundle, as reported by esbuild. */
const inputs: Record<string, string[]> = {}

function noteInputs({ metafile }: BuildResult): void {
  for (const [output, { inputs: used }] of Object.entries(metafile?.outputs ?? {}))
    inputs[basename(output).replace(/\.c?js$/, '')] = Object.keys(used)
}

async function buildPrograms(entryPoints: Record<string, string>, more: BuildOptions = {}): Promise<void> {
  noteInputs(
    await build({ ...options, ...more, entryPoints, outdir: fresh, outExtension: { '.js': '.cjs' } }),
  )
}

async function actionEntries(): Promise<Record<string, string>> {
  const entries: Record<string, string> = {}
  for (const folder of ['actions', 'triggers']) {
    for (const file of (await readdir(join(root, folder))).filter((name) => name.endsWith('.ts')).sort()) {
      entries[basename(file, '.ts')] = join(folder, file)
    }
  }
  return entries
}

/** Bundles beside an action's own. */
const bundlesBeside = (action: string): string[] =>
  classifying.includes(action) ? ['inference'] : action === 'results' ? ['gallery'] : []

/** Files beside an action's bundle. */
async function filesBeside(action: string): Promise<Zippable> {
  const files: Zippable = {}
  if (classifying.includes(action)) files['inference.js'] = await readFile(join(fresh, 'inference.cjs'))
  if (action === 'results') for (const name of galleryFiles) files[name] = await readFile(join(fresh, name))
  return files
}

/**
 * ES module for `import`. It re-exports the CommonJS bundle, so that models and error classes exist once. Not `export … from`: Node.js
 * would scan the whole bundle for names, four times the cost of loading it.
 */
async function writeModule(): Promise<void> {
  const names = Object.keys(require(join(fresh, 'index.cjs'))).sort()
  const lines = [
    "import { createRequire } from 'node:module'",
    `export const { ${names.join(', ')} } = createRequire(import.meta.url)('./index.cjs')`,
  ]
  await writeFile(join(fresh, 'index.mjs'), `${lines.join('\n')}\n`)
}

async function buildActions(): Promise<string[]> {
  const entries = await actionEntries()
  const result = await build({ ...options, banner, entryPoints: entries, outdir: fresh, write: false })
  noteInputs(result)
  await mkdir(join(fresh, 'actions'), { recursive: true })
  return Promise.all(
    (result.outputFiles ?? []).map(async ({ path, contents }) => {
      const name = basename(path, '.js')
      const made = [name, ...bundlesBeside(name)].flatMap((bundle) => inputs[bundle] ?? [])
      const notices = renderNotices(`the action ${name}`, await componentsOf(made))
      const files: Zippable = {
        'index.js': contents,
        [noticesName]: Buffer.from(notices),
        ...(await filesBeside(name)),
      }
      const zip = zipSync(files, { level: 9, mtime: zipDate })
      await writeFile(join(fresh, 'actions', `${name}.zip`), zip)
      const digest = createHash('sha256').update(zip).digest('hex').slice(0, 8)
      return `${name}.zip ${Math.round(zip.length / 1024)} KiB ${digest}`
    }),
  )
}

/** Without the threaded build: Node.js runs it on a single thread. */
const wasmBinaries = ['tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm']

async function copyWasm(): Promise<void> {
  await mkdir(join(fresh, 'wasm'))
  for (const name of wasmBinaries)
    await copyFile(
      join(root, 'node_modules', '@tensorflow', 'tfjs-backend-wasm', 'dist', name),
      join(fresh, 'wasm', name),
    )
}

/** Notices of the npm package: all bundles, models and photos in it. */
async function writeNotices(): Promise<number> {
  const models = (await readdir(join(root, 'models'))).sort()
  const components = [
    ...(await componentsOf(new Set(Object.values(inputs).flat()))),
    ...(await Promise.all(models.map((name) => modelComponent(join(root, 'models', name))))),
    await samplesComponent(join(root, 'samples')),
  ]
  await writeFile(join(fresh, noticesName), renderNotices('the package whisklens', components))
  await writeFile(join(fresh, 'bundles.json'), JSON.stringify(inputs))
  return components.length
}

/** Publishes the build. The command line's bundle goes last: its date shows whether the build is current. */
async function publish(): Promise<void> {
  const files = (await readdir(fresh, { recursive: true })).filter((file) => /\.\w+$/.test(file))
  for (const file of [...files.filter((name) => name !== 'cli.cjs'), 'cli.cjs']) {
    await mkdir(dirname(join(dist, file)), { recursive: true })
    await rename(join(fresh, file), join(dist, file))
  }
}

async function main(): Promise<void> {
  try {
    await buildPrograms(programs)
    await buildPrograms(programsBeside, beside)
    inputs.gallery = await buildGallery(fresh)
    await Promise.all([writeModule(), writeDeclarations(join(fresh, 'types'))])
    const built = await buildActions()
    await copyWasm()
    const count = await writeNotices()
    await publish()
    const version = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')).version as string
    process.stderr.write(`whisklens ${version} built: ${built.join(', ')}; notices of ${count} components\n`)
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}

main().catch((thrown) => {
  process.stderr.write(`${thrown instanceof Error ? thrown.stack : thrown}\n`)
  process.exitCode = 1
})
