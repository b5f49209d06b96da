import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidInputError } from '../../errors'
import { imagesAmong } from '../../library/sources/find-images'
import { isImageName } from '../../library/sources/image-names'
import { asFileError, type FoundFile, walk } from '../../library/sources/walk'
import { printable } from '../shared/output'

/** Training photos by label. */
export interface LabelFolders {
  /** Sorted by name. */
  labels: { name: string; photos: FoundFile[] }[]
  /** Images beside the label folders, which have no label. */
  beside: string[]
}

const layout = 'Expected a folder of photos per label: pets/cat/1.jpg, pets/cat/2.jpg, pets/dog/1.jpg, …'

/**
 * Finds training photos in a folder with one subfolder per label; includes nested folders.
 * @throws InvalidInputError with fewer than two labels, or for a label without images
 */
export async function readLabelFolders(folder: string): Promise<LabelFolders> {
  const refuse = (message: string): never => {
    throw new InvalidInputError('bad_examples', message, { hint: layout })
  }
  const entries = await readdir(folder, { withFileTypes: true }).catch((thrown) => {
    if (thrown.code === 'ENOTDIR') return refuse(`${printable(folder)} is a file, expected a folder`)
    throw asFileError(thrown, folder)
  })
  const shown = entries.filter(({ name }) => !name.startsWith('.'))
  const names = shown.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  const beside = shown
    .filter((entry) => !entry.isDirectory() && isImageName(entry.name))
    .map(({ name }) => name)
  const [only, ...others] = names.sort()
  if (only === undefined) {
    const images = beside.length > 0 ? `, only ${beside.length} images without a label` : ''
    return refuse(`${printable(folder)} has no label folders${images}`)
  }
  if (others.length === 0) refuse(`Expected two or more labels, found only "${printable(only)}"`)

  const labels = await Promise.all(
    names.map(async (name) => ({ name, photos: await photosIn(join(folder, name)) })),
  )
  const empty = labels.filter(({ photos }) => photos.length === 0).map(({ name }) => `"${printable(name)}"`)
  if (empty.length > 0) refuse(`No images for ${empty.join(', ')}`)
  return { labels, beside: beside.sort() }
}

async function photosIn(folder: string): Promise<FoundFile[]> {
  const photos: FoundFile[] = []
  for await (const file of imagesAmong(walk([folder]), () => {})) photos.push(file)
  return photos
}
