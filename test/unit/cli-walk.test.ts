import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { imageType, isImageName, walk } from '../../src/cli/walk'
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

async function found(paths: string[], accept?: (name: string) => boolean) {
  const files = []
  for await (const file of walk(
    paths.map((path) => join(folder.path, path)),
    accept,
  ))
    files.push(file)
  return files
}

const names = async (...args: Parameters<typeof found>) => (await found(...args)).map(({ name }) => name)

describe('walk', () => {
  it('finds images below a folder, sorted as a bucket lists them, without hidden ones and circles', async () => {
    expect(await names(['photos'], isImageName)).toEqual([
      'a.d/y.webp',
      'a.png',
      'a/b/c.tif',
      'a/broken.jpg',
      'a/link.jpg',
      'a/z.jpeg',
      'b.JPG',
    ])
  })

  it('finds every file where names do not matter', async () => {
    expect(await names(['photos'])).toContain('notes.txt')
  })

  it('takes files that are named themselves, whatever their name, in the order given', async () => {
    expect(await names(['photos/notes.txt', 'photos/a/.hidden.jpg', 'photos/a/b'], isImageName)).toEqual([
      'notes.txt',
      '.hidden.jpg',
      'c.tif',
    ])
  })

  it('reports what is not there and goes on', async () => {
    const files = await found(['nope', 'photos/a.png'])
    expect(files.map(({ problem }) => problem?.code)).toEqual(['file_not_found', undefined])
  })

  it('looks into a folder only when its files are asked for', async () => {
    const files = walk([join(folder.path, 'photos'), join(folder.path, 'later')])
    await files.next()
    await mkdir(join(folder.path, 'later'))
    await writeFile(join(folder.path, 'later', 'new.jpg'), '')
    const rest = []
    for await (const { name } of files) rest.push(name)
    expect(rest).toContain('new.jpg')
  })
})

it('tells images by their extension in any case', () => {
  expect(['a.JPeG', 'b.tiff', 'c.avif', 'd.svg', 'jpg'].map(imageType)).toEqual([
    'image/jpeg',
    'image/tiff',
    'image/avif',
    undefined,
    undefined,
  ])
})
