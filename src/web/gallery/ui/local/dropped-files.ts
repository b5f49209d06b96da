import { imageType } from '../../../../image-formats'

/** A file, and its path below the folder that was dropped. */
export interface Named {
  name: string
  file: File
}

export const isImage = ({ name, file }: Named): boolean =>
  file.type.startsWith('image/') || imageType(name) !== undefined

const fileOf = (entry: FileSystemFileEntry): Promise<File> =>
  new Promise((resolve, reject) => entry.file(resolve, reject))

/** A folder is told in pieces, of a hundred in Chromium. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader()
  const entries: FileSystemEntry[] = []
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    )
    if (some.length === 0) return entries
    entries.push(...some)
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

/** What was dropped, folders with all that is in them. */
export async function droppedFiles({ items }: DataTransfer): Promise<Named[]> {
  // The items are gone after the first wait. What a script or a mail program drags has no entry, only a file.
  const dropped = [...items].map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }))
  const found = dropped.map(({ entry, file }) => {
    if (entry) return filesBelow(entry)
    return file ? [{ name: file.name, file }] : []
  })
  return (await Promise.all(found)).flat()
}

/** What was chosen in a dialog. */
export const chosenFiles = (files: FileList): Named[] =>
  [...files].map((file) => ({ name: file.webkitRelativePath || file.name, file }))
