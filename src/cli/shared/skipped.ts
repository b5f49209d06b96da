import { extensionOf } from '../../image-files'
import type { SkippedFile } from '../../library/sources/find-images'
import { note, type OutputOptions, plural, printable } from './output'

/** How many there are of each. */
export type Tally = Map<string, number>

const countIn = (tally: Tally, of: string): void => void tally.set(of, (tally.get(of) ?? 0) + 1)

/** Counts a file by its extension. */
export const countName = (tally: Tally, name: string): void =>
  countIn(tally, extensionOf(name) || 'without an extension')

/** Counts files that are skipped. */
export const countSkipped =
  (tally: Tally) =>
  ({ name, isFolderLink }: SkippedFile): void =>
    isFolderLink ? countIn(tally, 'links to folders') : countName(tally, name)

const totalOf = (tally: Tally): number => [...tally.values()].reduce((sum, count) => sum + count, 0)

/** So many kinds are named. */
const maxNamed = 8

/** `3 .bmp, 2 .nef`: the most frequent first. */
function describeTally(tally: Tally): string {
  const kinds = [...tally].sort(([a, more], [b, fewer]) => fewer - more || (a < b ? -1 : 1))
  const named = kinds.slice(0, maxNamed).map(([of, count]) => `${count} ${of}`)
  const others = kinds.slice(maxNamed).reduce((sum, [, count]) => sum + count, 0)
  return [...named, ...(others > 0 ? [`${others} others`] : [])].join(', ')
}

/**
 * Reports the files that were found and skipped.
 * @param undecoded images, which count as failed: said even where notes are not wanted
 */
export function reportSkipped(undecoded: Tally, others: Tally, options: OutputOptions): void {
  const images = totalOf(undecoded)
  if (images > 0) {
    const are = images === 1 ? 'is in a format' : 'are in formats'
    const text = `${plural(images, 'file')} ${are} that cannot be classified: ${describeTally(undecoded)}`
    note(printable(text), { quiet: options.json && options.quiet })
  }
  if (others.size === 0) return
  const count = totalOf(others)
  const what = `Skipped ${plural(count, 'file')} that ${count === 1 ? 'is no image' : 'are no images'}`
  note(printable(`${what}: ${describeTally(others)}`), options)
}
