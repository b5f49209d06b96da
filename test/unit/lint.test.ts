import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const root = join(__dirname, '..', '..')

/** Imports that `npm run lint` accepts and refuses, by folder or file. */
const directions: Record<string, { accepted: string[]; refused: string[] }> = {
  actions: {
    accepted: ['../src/batch/context', '../src/web/page', '../src/errors', 'hono'],
    refused: [
      './classify',
      '../triggers/bucket-feed',
      '../src/cli/main',
      '../src/local/up',
      '../src/network/read',
      '../src/library/model',
    ],
  },
  triggers: {
    accepted: ['../src/batch/context', '../src/storage/store'],
    refused: [
      '../actions/classify',
      '../src/cli/main',
      '../src/local/host/server',
      '../src/network/onnx/read',
    ],
  },
  'src/cli': {
    accepted: ['./main', '../local/up', '../batch/context', '../library/model'],
    refused: ['../../actions/classify'],
  },
  'src/library/sources': {
    accepted: ['./walk', '../types/record', '../../batch/context', '../../storage/store', '../../errors'],
    refused: ['../../cli/main', '../../local/up', '../../web/page', '../../network/read', '../../index'],
  },
  'src/index.ts': {
    accepted: ['./errors', './library/model'],
    refused: ['./storage/store', './cli/main'],
  },
  'src/local/host': {
    accepted: ['../up', '../../batch/context', '../../openwhisk/client'],
    refused: ['../../cli/main', '../../library/model', '../../../triggers/bucket-feed'],
  },
  'src/web/max': {
    accepted: ['../page', '../../model-folder/folder'],
    refused: ['../../cli/main', '../../local/up', '../../network/write'],
  },
  'src/web/gallery': {
    accepted: ['../../batch/reports/index-format', '../../schema', './data/gallery', './ui/app'],
    refused: ['../../batch/reports/index-rows', '../../storage/store', 'node:fs'],
  },
  'src/web/gallery/data': {
    accepted: ['./result', '../contract', '../../../schema', '@preact/signals-core'],
    refused: [
      '../ui/app',
      '../../../storage/store',
      '../../../openwhisk/web',
      '@preact/signals',
      'preact',
      'preact/hooks',
      'node:fs',
      'zod',
    ],
  },
  'src/web/gallery/ui/grid': {
    accepted: [
      '../../data/gallery',
      '../../contract',
      '../../../../error-codes',
      'preact/hooks',
      '@preact/signals',
    ],
    refused: [
      '../../../../batch/context',
      '../../../../labels/view',
      '../../../../local/up',
      'node:path',
      'zod',
      'preact/compat',
    ],
  },
  'src/batch': {
    accepted: ['./state/batch', '../storage/store'],
    refused: ['../local/up', '../web/page', '../network/read', '../library/model'],
  },
  'src/batch/state': { accepted: ['./batch', '../../storage/store'], refused: ['../records/keys'] },
  'src/batch/records': {
    accepted: ['../state/batch', './keys', '../../openwhisk/client', '../../errors'],
    refused: ['../running/decide', '../../batch/running/decide', '../context', '../../cli/main', 'p-retry'],
  },
  'src/batch/running': {
    accepted: ['../closing/close', '../planning/plan', '../state/batch'],
    refused: ['../context', '../classify/classify-images', '../../../actions/aggregate'],
  },
  'src/classifier/tasks': {
    accepted: ['../load', '../../model-folder/description', '../../model-folder/folder'],
    refused: [
      '../../models/verify',
      '../../models/teach/head',
      '../../network/read',
      '../../network/layers/index',
      '../../batch/context',
      '../../storage/store',
    ],
  },
  'src/model-folder': {
    accepted: ['./folder', '../errors'],
    refused: ['../classifier/load', '../models/add', '../network/read'],
  },
  'src/network/onnx': {
    accepted: ['../graph', '../../model-folder/graph-model', '../../errors'],
    refused: ['../../models/add', '../../classifier/load', '../../cli/main', '../../batch/context'],
  },
  'src/models/teach': {
    accepted: ['../add', '../../model-folder/folder', '../../network/read', '../../network/onnx/read'],
    refused: [
      '../../classifier/load',
      '../../classifier/engines/index',
      '../../storage/store',
      '../../openwhisk/client',
      '../../cli/main',
    ],
  },
  'src/storage': {
    accepted: ['./store', '../errors'],
    refused: ['../openwhisk/client', '../model-folder/folder'],
  },
  'src/openwhisk/deploy': {
    accepted: ['../client', '../../errors'],
    refused: ['../../storage/store', '../../network/read'],
  },
  src: { accepted: ['./errors', 'zod'], refused: ['./storage/store', './cli/main'] },
}

/** Six nested conditions. */
const tangle = `export function tangle(a: number) { ${'if (a) { '.repeat(6)}return a${' }'.repeat(6)} }\n`

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'whisklens-lint-'))
  const { vcs: _, ...settings } = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8'))
  plant('biome.json', JSON.stringify(settings))
  const plugin = 'scripts/no-random.grit'
  plant(plugin, readFileSync(join(root, plugin), 'utf8'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function plant(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

/** Locations of errors by a rule, as `file:line`. `--only` is not used, because it enables disabled rules. */
function errorsBy(rule: string): string[] {
  const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome')
  const options = ['lint', '--reporter=json', '--diagnostic-level=error', '--max-diagnostics=none']
  const { stdout } = spawnSync(process.execPath, [biome, ...options], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 2 ** 24,
  })
  const { diagnostics } = JSON.parse(stdout) as {
    diagnostics: { category: string; location: { path: string; start: { line: number } } }[]
  }
  const found = diagnostics.filter(({ category }) => category === rule)
  return found.map(({ location: { path, start } }) => `${path}:${start.line}`).sort()
}

it('refuses imports against the direction of the folders, and no others', () => {
  const wanted: string[] = []
  for (const [room, { accepted, refused }] of Object.entries(directions)) {
    const path = room.endsWith('.ts') ? room : `${room}/planted.ts`
    plant(path, [...refused, ...accepted].map((from) => `export * from '${from}'\n`).join(''))
    wanted.push(...refused.map((_, index) => `${path}:${index + 1}`))
  }
  expect(errorsBy('lint/style/noRestrictedImports')).toEqual(wanted.sort())
})

it('refuses clocks and random numbers in the batch core, except from its context', () => {
  const sources = ['Date.now()', 'performance.now()', 'setTimeout(() => {})']
  const chances = ['Math.random()', 'crypto.randomUUID()', '{ random: Math.random }']
  const text = [...sources, ...chances]
    .map((source, index) => `export const a${index} = ${source}\n`)
    .join('')
  const rooms = readdirSync(join(root, 'src/batch'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'classify')
    .map(({ name }) => `src/batch/${name}/planted.ts`)
  for (const path of rooms) plant(path, text)
  const at = (lines: number[]) => rooms.flatMap((path) => lines.map((line) => `${path}:${line}`)).sort()
  expect(errorsBy('lint/style/noRestrictedGlobals')).toEqual(at([1, 2, 3]))
  expect(errorsBy('plugin')).toEqual(at([4, 5, 6]))
})

it('refuses import cycles', () => {
  plant('src/web/one.ts', "export * from './two'\n")
  plant('src/web/two.ts', "export * from './one'\n")
  expect(errorsBy('lint/suspicious/noImportCycles')).toEqual(['src/web/one.ts:1', 'src/web/two.ts:1'])
})

it('refuses functions above a cognitive complexity of 15 in each file of src', () => {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  const paths = files.filter((file) => /(?<!\.d)\.tsx?$/.test(file)).map((file) => `src/${file}`)
  for (const path of paths) plant(path, tangle)
  const found = errorsBy('lint/complexity/noExcessiveCognitiveComplexity')
  expect(found).toEqual(paths.map((path) => `${path}:1`).sort())
})

it('refuses markup that is not accessible', () => {
  plant(
    'src/web/gallery/ui/planted.tsx',
    [
      'export const a = <img src="a.jpg" />',
      'export const b = <div onClick={() => {}}>b</div>',
      'export const c = <button>c</button>',
      'export const d = <div dangerouslySetInnerHTML={{ __html: "" }} />',
      'export const e = <button type="button" onClick={() => {}}>e</button>',
      '',
    ].join('\n'),
  )
  const at = (line: number) => [`src/web/gallery/ui/planted.tsx:${line}`]
  expect(errorsBy('lint/a11y/useAltText')).toEqual(at(1))
  expect(errorsBy('lint/a11y/useKeyWithClickEvents')).toEqual(at(2))
  expect(errorsBy('lint/a11y/useButtonType')).toEqual(at(3))
  expect(errorsBy('lint/security/noDangerouslySetInnerHtml')).toEqual(at(4))
})
