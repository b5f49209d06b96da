import type { RowRecord } from '../contract'

/* Numbers, times and sizes in the reader's language. */

const numberFormat = new Intl.NumberFormat()
export const count = (value: number): string => numberFormat.format(value)

const wholePercent = new Intl.NumberFormat(undefined, { style: 'percent' })
const finePercent = new Intl.NumberFormat(undefined, { style: 'percent', minimumFractionDigits: 1 })

/** Formats a share, 0–1; one decimal below 10 %. */
export const percent = (share: number): string =>
  (share < 0.0995 && share > 0 ? finePercent : wholePercent).format(share)

const shortNumber = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 })
export const short = (value: number): string => shortNumber.format(value)

const timeFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
const dayFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' })

const formatted = (text: string, format: Intl.DateTimeFormat): string => {
  const time = new Date(text)
  return Number.isNaN(time.getTime()) ? text : format.format(time)
}

/** Formats a time, ISO 8601. */
export const time = (text: string): string => formatted(text, timeFormat)

/** Formats a day, YYYY-MM-DD. */
export const day = (text: string): string => formatted(text, dayFormat)

/** Local time of the camera, without its offset. */
export const cameraTime = (text: string): string => time(text.slice(0, 19))

/** Formats a duration, milliseconds. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min${seconds % 60 ? ` ${seconds % 60} s` : ''}`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

export function bytes(size: number): string {
  if (size < 1e6) return `${Math.max(1, Math.round(size / 1e3))} kB`
  return `${(size / 1e6).toFixed(1)} MB`
}

const milliseconds = (value: number): string => `${count(Math.round(value))} ms`

/** Formats the duration of each stage. */
export const timesOf = ({
  download,
  decode,
  infer,
}: RowRecord['timings']): [download: string, decode: string, infer: string] => [
  milliseconds(download),
  milliseconds(decode),
  milliseconds(infer),
]
