import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type BuildOptions, build } from 'esbuild'
import { type Zippable, zipSync } from 'fflate'
import { classifying } from './runtime-files'
import { zipDate } from './zip-date'

/*
 * Builds what is run: one bundle for the command line, one for each process it starts, and one zip for each action.
 * The same input gives the same bytes.
 */

const root = join(__dirname, '..')
const dist = join(root, 'dist')

/** Everything is made here and then moved over what is there: a process that runs meanwhile never misses a file. */
const fresh = join(dist, `.build-${process.pid}`)

/**
 * sharp is native: found in node_modules, or in the runtime image's. node-fetch is what TensorFlow.js would fetch models
 * with; ours come from their folders, and without it bundles are a third of a megabyte smaller.
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
}

/** Processes of the command line, by the name of their bundle in dist/. */
const programs = {
  cli: 'src/cli/main.ts',
  'cli-classify': 'src/cli/main-classify.ts',
  runtime: 'src/local/containers/runtime.ts',
  inference: 'src/classifier/inference/program.ts',
}

/**
 * Each worker reads its bundle whole, of which TensorFlow.js would be four fifths: found in node_modules when an engine
 * needs it. As `require`, for its packages are CommonJS.
 */
const worker: BuildOptions = {
  entryPoints: { 'classify-worker': 'src/cli/classify/worker.ts' },
  external: [...external, '@tensorflow/*'],
  supported: { 'dynamic-import': false },
}

/**
 * `nodejs:default`, which manifests name, may be an older Node.js than the code supports. The directive must come first.
 */
const banner = {
  js: `"use strict";if(parseInt(process.versions.node)<20)throw new Error("Whisklens needs nodejs:20 or later, and this kind is Node.js "+process.version+": deploy it with another");`,
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

async function buildActions(): Promise<string[]> {
  const entries = await actionEntries()
  const { outputFiles = [] } = await build({
    ...options,
    banner,
    entryPoints: entries,
    outdir: fresh,
    write: false,
  })
  await mkdir(join(fresh, 'actions'), { recursive: true })
  return Promise.all(
    outputFiles.map(async ({ path, contents }) => {
      const name = basename(path, '.js')
      const files: Zippable = { 'index.js': contents }
      if (classifying.includes(name)) files['inference.js'] = await readFile(join(fresh, 'inference.cjs'))
      const zip = zipSync(files, { level: 9, mtime: zipDate })
      await writeFile(join(fresh, 'actions', `${name}.zip`), zip)
      const digest = createHash('sha256').update(zip).digest('hex').slice(0, 8)
      return `${name}.zip ${Math.round(zip.length / 1024)} KiB ${digest}`
    }),
  )
}

/** The command line's bundle goes last: its date says whether all of it is current. */
async function publish(): Promise<void> {
  const files = (await readdir(fresh, { recursive: true })).filter((file) => /\.(cjs|zip)$/.test(file))
  await mkdir(join(dist, 'actions'), { recursive: true })
  for (const file of [...files.filter((name) => name !== 'cli.cjs'), 'cli.cjs']) {
    await rename(join(fresh, file), join(dist, file))
  }
}

async function main(): Promise<void> {
  try {
    for (const entries of [{ entryPoints: programs }, worker])
      await build({ ...options, ...entries, outdir: fresh, outExtension: { '.js': '.cjs' } })
    const built = await buildActions()
    await publish()
    const version = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')).version as string
    process.stderr.write(`whisklens ${version} built: ${built.join(', ')}\n`)
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}

main().catch((thrown) => {
  process.stderr.write(`${thrown instanceof Error ? thrown.stack : thrown}\n`)
  process.exitCode = 1
})
