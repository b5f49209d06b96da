import { createHash } from 'node:crypto'
import { msOf } from '../../clock'
import { globMatcher } from '../../glob'
import { imageFormatOf } from '../../image-formats'
import type { BatchRequest } from '../../schema'
import type { ObjectInfo } from '../../storage/store'

const filterNames = [
  'manifest',
  'include',
  'exclude',
  'format',
  'since',
  'until',
  'newerThan',
  'minSize',
  'maxSize',
  'sample',
  'limit',
] as const
type FilterName = (typeof filterNames)[number]

/** What of the images below a prefix a batch is about. */
export type Filters = Pick<BatchRequest, FilterName>

/** Whether a parameter was given: forms send fields that were left empty too. */
export const isGiven = (value: unknown): boolean => value !== undefined && value !== ''

/** The filters of a plan or of a request, all of them named so that they can take the place of others. */
export const filtersOf = (from: Filters): Filters =>
  Object.fromEntries(
    filterNames.map((name) => [name, isGiven(from[name]) ? from[name] : undefined]),
  ) as Filters

/** Whether all images below the prefix are meant. */
export const isUnfiltered = (from: Filters): boolean => !filterNames.some((name) => isGiven(from[name]))

/** The names of the filters in which two differ. */
export function differences(a: Filters, b: Filters): FilterName[] {
  const [one, other] = [filtersOf(a), filtersOf(b)]
  return filterNames.filter(
    (name) =>
      JSON.stringify(one[name]) !== JSON.stringify(other[name]) &&
      // It follows from the time of the fire.
      !(name === 'since' && one.newerThan !== undefined && one.newerThan === other.newerThan),
  )
}

/** Folder markers, as consoles create them, are no images. */
const isFolder = ({ key, size }: ObjectInfo): boolean => key.endsWith('/') && size === 0

/** Whether a key is selected. @throws InvalidInputError for a glob that is not valid */
export function selectsKey({ include, exclude, format, sample }: Filters): (key: string) => boolean {
  const glob = (pattern: string | undefined, fallback: boolean) =>
    pattern ? globMatcher(pattern) : () => fallback
  const included = glob(include, true)
  const excluded = glob(exclude, false)
  const formatted = hasFormat(format)
  const sampled = inSample(sample)
  return (key) => included(key) && !excluded(key) && formatted(key) && sampled(key)
}

/** Whether a listed object is selected, the limit apart. @throws InvalidInputError for a glob that is not valid */
export function selects(filters: Filters): (object: ObjectInfo) => boolean {
  const { since, until, minSize = 0, maxSize = Infinity } = filters
  const named = selectsKey(filters)
  return (object) =>
    !isFolder(object) &&
    (since === undefined || msOf(object.lastModified) >= since.getTime()) &&
    (until === undefined || msOf(object.lastModified) <= until.getTime()) &&
    object.size >= minSize &&
    object.size <= maxSize &&
    named(object.key)
}

/** By the extension: listings say no more of what an object is. */
function hasFormat(format: string | undefined): (key: string) => boolean {
  if (!format) return () => true
  const names = new Set(format.split(','))
  return (key) => names.has(imageFormatOf(key) ?? '')
}

/** Goes by a hash of the key: the same images each time, and all those of any smaller sample. */
function inSample(sample: string | undefined): (key: string) => boolean {
  if (!sample) return () => true
  const below = (Number.parseFloat(sample) / 100) * 2 ** 32
  return (key) => createHash('sha256').update(key).digest().readUInt32BE() < below
}
