import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { buildGallery, galleryFiles } from '../../scripts/build-gallery'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whisklens-gallery-'))
})
afterEach(() => rm(folder, { recursive: true }))

const read = (name: string) => readFile(join(folder, name))

it('is less than 60 kB with gzip', async () => {
  await buildGallery(folder)
  const sizes = (await Promise.all(galleryFiles.map(read))).map((bytes) => gzipSync(bytes).length)
  for (const size of sizes) expect(size).toBeGreaterThan(1000)
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(60_000)
})

it('bundles only dependency-free code from the rest of src', async () => {
  const inputs = await buildGallery(folder)
  const packages = inputs.filter((path) => path.startsWith('node_modules/'))
  const known = /^node_modules\/(preact|@preact\/signals(-core)?|p-limit|yocto-queue)\//
  for (const path of packages) expect(path).toMatch(known)
  const others = inputs.filter((path) => !path.startsWith('node_modules/'))
  const ofSrc = others.filter((path) => !path.startsWith('src/web/gallery/'))
  expect(ofSrc.sort()).toEqual([
    'src/batch/reports/latest-records.ts',
    'src/error-codes.ts',
    'src/image-formats.ts',
  ])
})

it('is reproducible', async () => {
  const build = async () => {
    await buildGallery(folder)
    return Promise.all(galleryFiles.map(read))
  }
  expect(await build()).toEqual(await build())
})

it('can be inlined in a page', async () => {
  await buildGallery(folder)
  const [script = '', style = ''] = (await Promise.all(galleryFiles.map(read))).map(String)
  expect(script).not.toMatch(/<\/script|<!--/i)
  expect(style).not.toMatch(/<\/style|<!--|@import|url\(/i)
})

it('has no code that parses text as HTML or as code', async () => {
  const gallery = join(__dirname, '../../src/web/gallery')
  const files = (await readdir(gallery, { recursive: true })).filter((name) => /\.tsx?$/.test(name))
  expect(files.length).toBeGreaterThan(50)
  const unsafe = /innerHTML|outerHTML|insertAdjacentHTML|srcdoc|document\.write|\beval\(|new Function/
  const texts = await Promise.all(files.map((name) => readFile(join(gallery, name), 'utf8')))
  expect(files.filter((_, index) => unsafe.test(texts[index] ?? ''))).toEqual([])
})
