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

/** The selection of images below a prefix. */
export type Filters = Pick<BatchRequest, FilterName>

/** Whether a parameter was given: forms send empty fields too. */
export const isGiven = (value: unknown): boolean => value !== undefined && value !== ''

/** The filters of a request. Absent ones are present as undefined, so that they override others. */
export const filtersOf = (from: Filters): Filters =>
  Object.fromEntries(
    filterNames.map((name) => [name, isGiven(from[name]) ? from[name] : undefined]),
  ) as Filters

/** Whether all images below the prefix are selected. */
export const isUnfiltered = (from: Filters): boolean => !filterNames.some((name) => isGiven(from[name]))

/** The names of differing filters. */
export function differences(a: Filters, b: Filters): FilterName[] {
  const [one, other] = [filtersOf(a), filtersOf(b)]
  return filterNames.filter(
    (name) =>
      JSON.stringify(one[name]) !== JSON.stringify(other[name]) &&
      // `since` was derived from `newerThan` at the time of the fire.
      !(name === 'since' && one.newerThan !== undefined && one.newerThan === other.newerThan),
  )
}

/** Folder markers created by consoles are not images. */
const isFolder = ({ key, size }: ObjectInfo): boolean => key.endsWith('/') && size === 0

/** Builds the test on keys. @throws InvalidInputError for an invalid glob */
export function selectsKey({ include, exclude, format, sample }: Filters): (key: string) => boolean {
  const glob = (pattern: string | undefined, fallback: boolean) =>
    pattern ? globMatcher(pattern) : () => fallback
  const included = glob(include, true)
  const excluded = glob(exclude, false)
  const formatted = hasFormat(format)
  const sampled = inSample(sample)
  return (key) => included(key) && !excluded(key) && formatted(key) && sampled(key)
}

/** Builds the test on listed objects, without the limit. @throws InvalidInputError for an invalid glob */
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

/** Tests the extension: listings have no content type. */
function hasFormat(format: string | undefined): (key: string) => boolean {
  if (!format) return () => true
  const names = new Set(format.split(','))
  return (key) => names.has(imageFormatOf(key) ?? '')
}

/** Samples by a hash of the key: repeatable, and larger samples contain smaller ones. */
function inSample(sample: string | undefined): (key: string) => boolean {
  if (!sample) return () => true
  const below = (Number.parseFloat(sample) / 100) * 2 ** 32
  return (key) => createHash('sha256').update(key).digest().readUInt32BE() < below
}
