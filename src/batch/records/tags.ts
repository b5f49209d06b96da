import type { ImageRecord } from '../../schema'
import type { Tags } from '../../storage/tagging'

/** Prefix of our tags; others are kept. */
const prefix = 'whisklens:'

/** The limit of S3 per object. */
export const maxTags = 10
/** The limit of S3 for a value, UTF-16 units. */
const maxCharacters = 256

/** Removes what S3 does not allow: it takes letters, digits, spaces and a few signs. */
const asValue = (text: string): string =>
  text
    .replace(/[^\p{L}\p{N}\p{Zs}_.:/=+\-@]/gu, '')
    .replace(/\p{Zs}+/gu, ' ')
    .trim()
    .slice(0, maxCharacters)
    // The cut may have split a surrogate pair.
    .replace(/[\ud800-\udbff]$/, '')

/** The tags of a record: its model and most probable label. */
export function tagsOfRecord({ model, labels: [top] }: ImageRecord): Tags {
  const tags = { model, ...(top && { label: top.label, confidence: top.probability.toFixed(4) }) }
  return Object.fromEntries(Object.entries(tags).map(([name, text]) => [`${prefix}${name}`, asValue(text)]))
}

/** Replaces our tags of an object by those of a record. */
export const mergeTags = (there: Tags, record: ImageRecord): Tags => ({
  ...Object.fromEntries(Object.entries(there).filter(([key]) => !key.startsWith(prefix))),
  ...tagsOfRecord(record),
})
