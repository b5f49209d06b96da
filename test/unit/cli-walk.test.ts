import { execFileSync } from 'node:child_process'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { countSkipped, type Tally } from '../../src/cli/shared/skipped'
import { imagesAmong } from '../../src/library/sources/find-images'
import { splitGlob } from '../../src/library/sources/globs'
import { walk } from '../../src/library/sources/walk'
import { sample } from '../helpers/images'
import { temporaryFolder } from './cli-run'

const folder = temporaryFolder()

beforeAll(async () => {
  const files = [
    'b.JPG',
    'a.png',
    'a/z.jpeg',
    'a/.hidden.jpg',
    'a/b/c.tif',
    'notes.txt',
    '.git/x.jpg',
    'a.d/y.webp',
  ]
  for (const file of files) {
    await mkdir(join(folder.path, 'photos', file, '..'), { recursive: true })
    await writeFile(join(folder.path, 'photos', file), file)
  }
  await symlink('..', join(folder.path, 'photos', 'a', 'circle'))
  await symlink('../b.JPG', join(folder.path, 'photos', 'a', 'link.jpg'))
  await symlink('nowhere', join(folder.path, 'photos', 'a', 'broken.jpg'))
})

async function all<T>(files: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const file of files) found.push(file)
  return found
}

const below = (paths: string[]) => walk(paths.map((path) => join(folder.path, path)))

/** Names of the images, and counts of other files by extension. */
async function images(...paths: string[]) {
  const others: Tally = new Map()
  const found = await all(imagesAmong(below(paths), countSkipped(others)))
  return { found, names: found.map(({ name }) => name), others: Object.fromEntries(others) }
}

describe('walk', () => {
  it('finds all files below a folder, sorted as a bucket lists them, without hidden files and cycles', async () => {
    expect((await all(below(['photos']))).map(({ name }) => name)).toEqual([
      'a.d/y.webp',
      'a.png',
      'a/b/c.tif',
      'a/broken.jpg',
      'a/circle',
      'a/link.jpg',
      'a/z.jpeg',
      'b.JPG',
      'notes.txt',
    ])
  })

  it('accepts files named explicitly, whatever their name, in the order given', async () => {
    const { names, others } = await images('photos/notes.txt', 'photos/a/.hidden.jpg', 'photos/a/b')
    expect(names).toEqual(['notes.txt', '.hidden.jpg', 'c.tif'])
    expect(others).toEqual({})
  })

  it('reports missing files and continues', async () => {
    const files = await all(below(['nope', 'photos/a.png', 'photos/a.png/b', 'photos/a/broken.jpg']))
    const codes = files.map(({ problem }) => problem?.code)
    expect(codes).toEqual(['file_not_found', undefined, 'file_not_found', 'file_not_found'])
  })

  it('reports a named pipe without opening it', async () => {
    await mkdir(join(folder.path, 'pipes'))
    execFileSync('mkfifo', [join(folder.path, 'pipes', 'pipe.jpg')])
    for (const path of ['pipes', 'pipes/pipe.jpg']) {
      const [file] = await all(below([path]))
      expect(file?.problem).toMatchObject({
        code: 'file_unreadable',
        message: expect.stringMatching(/pipe\.jpg is a named pipe, not a file$/),
      })
    }
  })

  it('reads a folder only when its files are requested', async () => {
    const files = below(['photos', 'later'])
    await files.next()
    await mkdir(join(folder.path, 'later'))
    await writeFile(join(folder.path, 'later', 'new.jpg'), '')
    expect((await all(files)).map(({ name }) => name)).toContain('new.jpg')
  })
})

describe('images among the files of a folder', () => {
  it('are those with an image extension; the others are counted', async () => {
    const { names, others } = await images('photos')
    expect(names).toEqual([
      'a.d/y.webp',
      'a.png',
      'a/b/c.tif',
      'a/broken.jpg',
      'a/link.jpg',
      'a/z.jpeg',
      'b.JPG',
    ])
    expect(others).toEqual({ '.txt': 1, 'links to folders': 1 })
  })

  it('and those with an image signature', async () => {
    await mkdir(join(folder.path, 'bytes'))
    const files: [string, Buffer | string][] = [
      ['IMG_0001', sample('cat')],
      ['photo.bin', await sharp(sample('cat')).png().toBuffer()],
      ['scan.bmp', 'BM'],
      ['drawing', '<svg width="9">'],
      ['page', '<!doctype html>'],
      ['data.json', '{"a": 1}'],
      ['empty', ''],
    ]
    for (const [name, content] of files) await writeFile(join(folder.path, 'bytes', name), content)
    const { found, others } = await images('bytes')
    expect(found.map(({ name, type, problem }) => [name, type, problem?.code])).toEqual([
      ['IMG_0001', 'image/jpeg', undefined],
      ['drawing', undefined, 'image_unsupported'],
      ['photo.bin', 'image/png', undefined],
      ['scan.bmp', undefined, 'image_unsupported'],
    ])
    expect(others).toEqual({ '.json': 1, 'without an extension': 2 })
  })
})

describe('globs', () => {
  it.each<[string, string, string[], string[]]>([
    ['photos/*.jpg', 'photos/', ['a.jpg'], ['a.png', 'b/a.jpg']],
    ['photos/**/*.jpg', 'photos/', ['a.jpg', 'b/c/a.jpg'], ['a.png']],
    ['**/cat.{jpg,png}', '', ['cat.jpg', 'a/cat.png'], ['a/dog.png']],
    ['2026-0[1-3]/*', '', ['2026-02/a'], ['2026-04/a', '2026-02/a/b']],
    ['/a b/c?.jpg', '/a b/', ['c1.jpg'], ['c.jpg']],
  ])('%s', (glob, base, matching, others) => {
    const split = splitGlob(glob)
    expect(split?.base).toBe(base)
    expect(matching.filter((name) => !split?.matches(name))).toEqual([])
    expect(others.filter((name) => split?.matches(name))).toEqual([])
  })

  it('need a wildcard', () => {
    expect(splitGlob('photos/a.jpg')).toBeUndefined()
    expect(splitGlob('a[1]/b.jpg', /[*?]/)).toBeUndefined()
  })
})
