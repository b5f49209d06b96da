import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { strFromU8, unzipSync } from 'fflate'
import { componentsOf } from '../../scripts/bundled'
import { classifying, noticesName, stockContents } from '../../src/cli/stock/contents'
import { componentOf } from '../../src/notices/component'
import { renderNotices } from '../../src/notices/render'
import { needs } from '../helpers/needs'
import { stockMissing } from '../helpers/stock-zip'

const root = join(__dirname, '..', '..')
const dist = join(root, 'dist')
const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

/** Input files of each bundle, from the metafile of the build. */
const bundles = JSON.parse(readFileSync(join(dist, 'bundles.json'), 'utf8')) as Record<string, string[]>

const words = (text: string): string => text.replace(/\s+/g, ' ').trim()
const wordNet = words('appear on ALL copies of the software, database and documentation')

/** Folders of the packages in the given bundles. */
const packagesOf = (...names: string[]): string[] => [
  ...new Set(
    names
      .flatMap((name) => bundles[name] as string[])
      .filter((input) => input.includes('node_modules/'))
      .map((input) => input.replace(/(.*node_modules\/(@[^/]+\/)?[^/]+).*/, '$1')),
  ),
]

/** Expects the name, version and complete licence files of each package. */
function expectAll(notices: string, packages: string[]): void {
  const text = words(notices)
  for (const folder of packages) {
    const { name, version } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    expect(text).toContain(` ${name} ${version} (`)
    for (const file of readdirSync(join(root, folder)).filter((file) => /^licen[cs]e|^notice/i.test(file)))
      expect(text).toContain(words(readFileSync(join(root, folder, file), 'utf8')))
  }
}

describe('the notices of the package', () => {
  const notices = readFileSync(join(dist, noticesName), 'utf8')

  it('list every package in its bundles, its models and its photos', () => {
    const packages = packagesOf(...Object.keys(bundles))
    expect(packages.length).toBeGreaterThan(60)
    expectAll(notices, packages)
    for (const model of readdirSync(join(root, 'models')))
      expect(words(notices)).toContain(words(readFileSync(join(root, 'models', model, 'NOTICE'), 'utf8')))
    expect(words(notices)).toContain(words(readFileSync(join(root, 'samples', 'README.md'), 'utf8')))
    expect(words(notices)).toContain(wordNet)
    const models = readdirSync(join(root, 'models')).length
    const count = packages.length + models + ['samples', 'WordNet'].length
    expect(notices).toContain(`${count} components`)
    process.stderr.write(`notices: ${count} components, 0 missing\n`)
  })

  it('cover all bundles', () => {
    const places = (name: string) => [`${name}.cjs`, `${name}.js`, join('actions', `${name}.zip`)]
    for (const name of Object.keys(bundles))
      expect([name, places(name).some((path) => existsSync(join(dist, path)))]).toEqual([name, true])
  })
})

it.each(readdirSync(join(dist, 'actions')))('%s carries the notices of what is in it', (file) => {
  const name = file.replace('.zip', '')
  const zip = unzipSync(readFileSync(join(dist, 'actions', file)))
  const notices = strFromU8(zip[noticesName] as Uint8Array)
  expectAll(
    notices,
    packagesOf(
      name,
      ...(classifying.includes(name) ? ['inference'] : []),
      ...(name === 'results' ? ['gallery'] : []),
    ),
  )
  if ((bundles[name] as string[]).includes('src/labels/synsets.json'))
    expect(words(notices)).toContain(wordNet)
})

needs(stockMissing).it(
  'stock zips name libvips, libheif, ONNX Runtime and the model, and how to replace the first two',
  async () => {
    const { components, files } = await stockContents('x64', 'onnx')
    const notices = words(renderNotices('a zip', components))
    for (const folder of new Set(
      Object.keys(files).map((path) => /^node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0]),
    )) {
      const component = components.find(({ name }) => `node_modules/${name}` === folder)
      if (folder) expect(component?.texts.join()).toMatch(/licen[cs]e|permission|redistribution/i)
    }
    expect(notices).toContain(wordNet)
    expect(notices).toContain('GNU LESSER GENERAL PUBLIC LICENSE Version 3')
    expect(notices).toContain('GNU GENERAL PUBLIC LICENSE Version 3')
    expect(notices).toContain('https://github.com/lovell/sharp-libvips')
    expect(notices).toContain('https://github.com/strukturag/libheif')
    expect(notices).toContain('| libvips | LGPLv3 |')
    expect(notices).toContain('Copyright (c) Microsoft Corporation')
    expect(notices).toContain('models/efficientnet-lite0-int8')
  },
)

describe('a component', () => {
  function packageWith(files: Record<string, string>): string {
    const folder = mkdtempSync(join(tmpdir(), 'whisklens-notices-'))
    folders.push(folder)
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    return folder
  }
  const packageJson = (more: object) => JSON.stringify({ name: 'one', version: '1.0.0', ...more })

  it('of a package that only names the MIT licence has its text, with the author as copyright holder', async () => {
    const folder = packageWith({
      'package.json': packageJson({ license: 'MIT', author: 'A. Author <a@b.test>' }),
    })
    const { texts } = await componentOf(folder)
    expect(texts).toEqual([
      expect.stringMatching(/^Copyright \(c\) A\. Author\n\nPermission is hereby granted/),
    ])
  })

  it('without a licence fails the build', async () => {
    const folder = packageWith({
      'package.json': packageJson({ license: 'SEE LICENSE' }),
      'README.md': 'one',
    })
    await expect(componentOf(folder)).rejects.toThrow('one has no licence text')
  })

  it('of unknown origin fails the build', async () => {
    await expect(componentsOf(['src/log.ts', 'vendor/thing.js'])).rejects.toThrow('vendor/thing.js')
  })

  it('is rendered once, with each text once, in a fixed order', () => {
    const [one, two] = ['b', 'a'].map((name) => ({
      name,
      version: '1.0.0',
      license: 'MIT',
      texts: ['same', name],
    }))
    if (!one || !two) throw new Error('unreachable')
    const text = renderNotices('it', [one, two, one])
    expect(text).toBe(renderNotices('it', [two, one]))
    expect(text).toContain('2 components')
    expect(text.match(/^same$/gm)).toHaveLength(1)
  })
})
