import { isDate } from './address'

/** Start of a year, month, day or minute, and of the next one, in minutes since 1970 of the same clock. */
function minutesOf(text: string): [from: number, to: number] {
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0] = text.split(/[-T:]/).map(Number)
  const parts = text.split(/[-T:]/).length
  const at = (y: number, m: number, d: number, n: number) => Date.UTC(y, m - 1, d, hour, n) / 60_000
  const from = at(year, month, day, minute)
  if (parts === 1) return [from, at(year + 1, 1, 1, 0)]
  if (parts === 2) return [from, at(year, month + 1, 1, 0)]
  return [from, parts === 3 ? at(year, month, day + 1, 0) : from + 1]
}

/** First minute, and the minute after the last; undefined if neither is given. */
export function takenRange(since: string, until: string): [from: number, to: number] | undefined {
  const [isSince, isUntil] = [isDate(since), isDate(until)]
  if (!isSince && !isUntil) return undefined
  return [isSince ? minutesOf(since)[0] : 0, isUntil ? minutesOf(until)[1] : Number.POSITIVE_INFINITY]
}

/** Day of a minute, YYYY-MM-DD. */
export const dayOfMinute = (minute: number): string => new Date(minute * 60_000).toISOString().slice(0, 10)
