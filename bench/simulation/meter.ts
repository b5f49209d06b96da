/** Kinds of requests an object store is asked with; a listing is a request a page. */
export type Kind = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'LIST' | 'DELETE'

/** What they are about: the images themselves, their newest records, and a batch's chunks, parts and everything else. */
export type Area = 'images' | 'records' | 'chunks' | 'parts' | 'batch'

export type Requests = Partial<Record<Area, Partial<Record<Kind, number>>>>

/** The area of a key of the results bucket. */
export function areaOf(key: string): Area {
  if (key.startsWith('images/')) return 'records'
  if (key.includes('/chunks/')) return 'chunks'
  return key.includes('/parts/') ? 'parts' : 'batch'
}

/** Adds to a count of requests. */
export function addRequests(requests: Requests, area: Area, kind: Kind, count = 1): void {
  const ofArea = requests[area] ?? {}
  requests[area] = ofArea
  ofArea[kind] = (ofArea[kind] ?? 0) + count
}

/** The sum of some of the requests; of all by default. */
export function sumOf(requests: Requests, { area, kind }: { area?: Area; kind?: Kind } = {}): number {
  const areas = area ? [requests[area] ?? {}] : Object.values(requests)
  const counts = areas.flatMap((ofArea) => (kind ? [ofArea[kind] ?? 0] : Object.values(ofArea)))
  return counts.reduce((sum, count) => sum + count, 0)
}
