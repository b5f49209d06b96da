import type { PhotoIndex } from './photo-index'

/** Values of a row, independent of the ids of its index. */
const valuesOf = ({ columns, names, directory }: PhotoIndex, row: number) => [
  names[columns.name[row] ?? -1],
  columns.confidence[row],
  directory.codes[columns.error[row] ?? -1],
]

/** Whether two indexes have the same values for an image. */
export function isSameRow(before: PhotoIndex, row: number, after: PhotoIndex, moved: number): boolean {
  const values = valuesOf(after, moved)
  return valuesOf(before, row).every((value, at) => value === values[at])
}
