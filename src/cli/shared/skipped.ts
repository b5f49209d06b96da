import { extensionOf } from '../../image-files'
import type { SkippedFile } from '../../library/sources/find-images'
import { note, type OutputOptions, plural, printable } from './output'

/** Counts by extension or kind. */
export type Tally = Map<string, number>

const countIn = (tally: Tally, of: string): void => void tally.set(of, (tally.get(of) ?? 0) + 1)

/** Counts a file by extension. */
export const countName = (tally: Tally, name: string): void =>
  countIn(tally, extensionOf(name) || 'without an extension')

/** Counts skipped files. */
export const countSkipped =
  (tally: Tally) =>
  ({ name, isFolderLink }: SkippedFile): void =>
    isFolderLink ? countIn(tally, 'links to folders') : countName(tally, name)

const totalOf = (tally: Tally): number => [...tally.values()].reduce((sum, count) => sum + count, 0)

/** Maximum number of kinds listed. */
const maxNamed = 8

/** `3 .bmp, 2 .nef`: most frequent first. */
function describeTally(tally: Tally): string {
  const kinds = [...tally].sort(([a, more], [b, fewer]) => fewer - more || (a < b ? -1 : 1))
  const named = kinds.slice(0, maxNamed).map(([of, count]) => `${count} ${of}`)
  const others = kinds.slice(maxNamed).reduce((sum, [, count]) => sum + count, 0)
  return [...named, ...(others > 0 ? [`${others} others`] : [])].join(', ')
}

/**
 * Reports files that were found and skipped.
 * @param undecoded images, which count as failed: reported even with `--quiet`
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
  const what = `Skipped ${plural(count, 'file')} that ${count === 1 ? 'is not an image' : 'are not images'}`
  note(printable(`${what}: ${describeTally(others)}`), options)
}
