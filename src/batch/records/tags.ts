import type { ImageRecord } from '../../schema'
import type { Tags } from '../../storage/tagging'

/** All of ours begin with it: others' are told from them, and kept. */
const prefix = 'whisklens:'

/** S3 allows so many tags of an object. */
export const maxTags = 10
/** And so many characters of a value, counted in UTF-16. */
const maxCharacters = 256

/** S3 takes letters, digits and spaces of any script, and a few signs. What else a label holds is left out. */
const asValue = (text: string): string =>
  text
    .replace(/[^\p{L}\p{N}\p{Zs}_.:/=+\-@]/gu, '')
    .replace(/\p{Zs}+/gu, ' ')
    .trim()
    .slice(0, maxCharacters)
    // No half of a pair that the cut goes through.
    .replace(/[\ud800-\udbff]$/, '')

/** What a record says as tags: the model, and of what it saw the most probable label. */
export function tagsOfRecord({ model, labels: [top] }: ImageRecord): Tags {
  const tags = { model, ...(top && { label: top.label, confidence: top.probability.toFixed(4) }) }
  return Object.fromEntries(Object.entries(tags).map(([name, text]) => [`${prefix}${name}`, asValue(text)]))
}

/** The tags of an object with those of a record in place of earlier ones. */
export const mergeTags = (there: Tags, record: ImageRecord): Tags => ({
  ...Object.fromEntries(Object.entries(there).filter(([key]) => !key.startsWith(prefix))),
  ...tagsOfRecord(record),
})
