/*
 * Round trip times, milliseconds: medians on loopback with two cores, for Versity S3 Gateway 1.8 (POSIX) and a standalone OpenWhisk
 * server of August 2026.
 */

export const measured = {
  PUT: 3.4,
  GET: 1.2,
  HEAD: 0.8,
  /** Listing of a few objects, and of a thousand. */
  LIST: 8,
  page: 74,
  POST: 3.4,
  DELETE: 0.8,
  invoke: 44,
  fire: 44,
  result: 10.4,
  memory: 10.4,
}

export type Calls = Record<keyof typeof measured, number>
export type Call = Exclude<keyof Calls, 'page'>

/** Kind of a request, from its name in the simulation. */
export const callOf = (name: string): Call => name.slice(0, name.indexOf(' ')) as Call

/** Additional time per listed object, milliseconds. */
export const perListed = ({ LIST, page }: Calls): number => (page - LIST) / 1_000
