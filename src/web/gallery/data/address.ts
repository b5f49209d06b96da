import { type Filters, noFilters, sorts } from './api'

/** State of the page in its address. */
export interface View {
  batch?: string
  filters: Filters
  /** The open photo, as `bucket/key`. */
  photo?: string
}

const statuses: Filters['status'][] = ['', 'ok', 'error']

const oneOf = <T>(values: readonly T[], text: string | null, otherwise: T): T =>
  values.find((value) => value === text) ?? otherwise

/** Rounded to thousandths, as in the index. */
function shareOf(text: string | null, otherwise: number): number {
  const value = text === null || text.trim() === '' ? Number.NaN : Number(text)
  return value >= 0 && value <= 1 ? Math.round(value * 1000) / 1000 : otherwise
}

const pattern = /^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])(T([01]\d|2[0-3]):[0-5]\d)?)?)?$/
export const isDate = (text: string): boolean => pattern.test(text)

const dateOf = (text: string | null): string => (text !== null && isDate(text) ? text : '')

/** Parses an address; ignores unknown and invalid parameters. */
export function parseAddress(address: string): View {
  const { searchParams: query } = new URL(address)
  const [min, max] = [shareOf(query.get('min'), 0), shareOf(query.get('max'), 1)]
  return {
    batch: query.get('batch') || undefined,
    filters: {
      labels: [...new Set(query.getAll('label').filter(Boolean))],
      confidence: min <= max ? [min, max] : [0, 1],
      status: oneOf(statuses, query.get('status'), ''),
      code: query.get('code') ?? '',
      search: query.get('search') ?? '',
      takenSince: dateOf(query.get('takenSince')),
      takenUntil: dateOf(query.get('takenUntil')),
      camera: query.get('camera') ?? '',
      sort: oneOf(sorts, query.get('sort'), noFilters.sort),
    },
    photo: query.get('photo') || undefined,
  }
}

/** Prints a view into an address; keeps the token, the fragment and other parameters. */
export function printAddress(address: string, { batch, filters, photo }: View): string {
  const url = new URL(address)
  const { labels, confidence, sort, ...texts } = filters
  const [min, max] = confidence
  const values = {
    batch,
    label: labels,
    min: min > 0 ? String(min) : '',
    max: max < 1 ? String(max) : '',
    ...texts,
    sort: sort === noFilters.sort ? '' : sort,
    photo,
  }
  for (const [name, value] of Object.entries(values)) {
    url.searchParams.delete(name)
    for (const one of [value ?? []].flat()) if (one) url.searchParams.append(name, one)
  }
  return url.href
}

/** Secret of the local mode's owner, in the fragment: browsers do not send it to servers. */
export const ownerOf = (address: string): string | undefined =>
  new URLSearchParams(new URL(address).hash.slice(1)).get('owner') || undefined
