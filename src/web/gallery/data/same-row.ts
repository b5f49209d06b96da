import type { PhotoIndex } from './photo-index'

/** What an index says of a row, without the numbers that another one may have otherwise. */
const saidOf = ({ columns, names, directory }: PhotoIndex, row: number) => [
  names[columns.name[row] ?? -1],
  columns.confidence[row],
  directory.codes[columns.error[row] ?? -1],
]

/** Whether two indexes say the same of an image. */
export function isSameRow(before: PhotoIndex, row: number, after: PhotoIndex, moved: number): boolean {
  const said = saidOf(after, moved)
  return saidOf(before, row).every((value, at) => value === said[at])
}
