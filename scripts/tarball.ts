import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { noticesName } from '../src/cli/stock/contents'

const root = join(__dirname, '..')

/** Output of `npm pack --json`. */
export interface Packed {
  filename: string
  size: number
  files: { path: string }[]
}

const namesIn = (folder: string): string[] =>
  readdirSync(join(root, folder)).map((name) => join(folder, name).replaceAll('\\', '/'))

/** Paths in a field of package.json. */
const pathsIn = (field: string | object): string[] =>
  typeof field === 'string' ? [field] : Object.values(field).flatMap(pathsIn)

/** Files that the installed package needs: code and the data beside it. */
function needed(): string[] {
  const { exports, bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const programs = ['cli', 'cli-classify', 'classify-worker', 'inference', 'runtime', 'tensorflow']
  const actions = [...namesIn('actions'), ...namesIn('triggers')].map(
    (path) => `dist/actions/${path.replace(/.*\/|\.ts$/g, '')}.zip`,
  )
  return [
    ...[...pathsIn(exports), ...pathsIn(bin)].map((path) => path.replace(/^\.\//, '')),
    ...programs.map((name) => `dist/${name}.cjs`),
    ...actions,
    'dist/gallery.js',
    'dist/gallery.css',
    ...['tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm'].map((name) => `dist/wasm/${name}`),
    `dist/${noticesName}`,
    'LICENSE',
    'NOTICE',
    'manifest.yaml',
    'manifest.stock.yaml',
    ...[
      ...namesIn('models/efficientnet-lite0'),
      ...namesIn('samples'),
      ...namesIn('notices'),
      ...namesIn('docs/policies'),
    ],
  ]
}

/** Needed files that a tarball lacks. */
export function missingFiles({ files }: Packed): string[] {
  const paths = new Set(files.map(({ path }) => path))
  return needed().filter((path) => !paths.has(path))
}
