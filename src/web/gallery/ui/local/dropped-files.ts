import { imageType } from '../../../../image-formats'

/** A file with its path, which includes the dropped folder. */
export interface Named {
  name: string
  file: File
}

export const isImage = ({ name, file }: Named): boolean =>
  file.type.startsWith('image/') || imageType(name) !== undefined

const fileOf = (entry: FileSystemFileEntry): Promise<File> =>
  new Promise((resolve, reject) => entry.file(resolve, reject))

/** readEntries() returns batches, of a hundred in Chromium. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader()
  const entries: FileSystemEntry[] = []
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    )
    if (batch.length === 0) return entries
    entries.push(...batch)
  }
}

async function filesBelow(entry: FileSystemEntry): Promise<Named[]> {
  if (entry.isFile) {
    const file = await fileOf(entry as FileSystemFileEntry)
    return [{ name: entry.fullPath.replace(/^\//, ''), file }]
  }
  const found: Named[] = []
  for (const below of await entriesOf(entry as FileSystemDirectoryEntry))
    found.push(...(await filesBelow(below)))
  return found
}

/** Dropped files, and those in dropped folders. */
export async function droppedFiles({ items }: DataTransfer): Promise<Named[]> {
  // Items are only valid before the first await. Drags from scripts or mail programs have a file but no entry.
  const dropped = [...items].map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }))
  const found = dropped.map(({ entry, file }) => {
    if (entry) return filesBelow(entry)
    return file ? [{ name: file.name, file }] : []
  })
  return (await Promise.all(found)).flat()
}

/** Files chosen in a dialog. */
export const chosenFiles = (files: FileList): Named[] =>
  [...files].map((file) => ({ name: file.webkitRelativePath || file.name, file }))
