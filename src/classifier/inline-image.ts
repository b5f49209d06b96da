import { InvalidInputError } from '../errors'

const hint =
  'Send the bytes in base64 (standard or URL-safe, line breaks are fine), alone or as data:image/…;base64,….'

const refused = (reason: string): InvalidInputError =>
  new InvalidInputError('bad_parameter', `The image ${reason}`, { hint })

/**
 * Decodes an image sent as text: base64 of either alphabet, with or without padding and line breaks, alone or in a data: URL. Form
 * encoding turns each `+` into a space; this is undone where it is unambiguous.
 * @throws InvalidInputError for anything else, rather than classifying damaged bytes
 */
export function imageBytes(text: string): Buffer {
  const base64 = text.replace(/^\s*data:[^,]*,/i, (head) => {
    if (/;\s*base64\s*,$/i.test(head)) return ''
    throw refused('is a data: URL that is not in base64')
  })
  if (/^\s*https?:/i.test(text)) throw refused('is a URL, which is not fetched')
  // Leading spaces were never `+`: no image format starts with the byte that it would encode.
  const letters = withoutSpaces(base64.replace(/[\r\n\t\f]/g, '').replace(/^ +/, ''))
  const other = /[^A-Za-z0-9+/_-]/.exec(letters.replace(/={1,2}$/, ''))
  if (other) throw refused(`is not base64: character ${other.index + 1} is ${JSON.stringify(other[0])}`)
  if (!isWhole(letters)) throw refused(`is incomplete base64: it has ${letters.length} characters`)
  return Buffer.from(letters, 'base64')
}

/** Checks the length. Padding is optional; if present, it completes the last group of four. */
const isWhole = (letters: string): boolean =>
  letters.endsWith('=') ? letters.length % 4 === 0 : letters.length % 4 !== 1

/** Whether spaces were line breaks: tools break lines at 60 to 76 letters, in multiples of four. */
function areLines(runs: string[]): boolean {
  const [{ length } = ''] = runs
  const others = runs.slice(1, -1)
  const last = runs.at(-1) ?? ''
  return (
    length >= 60 && length % 4 === 0 && others.every((run) => run.length === length) && last.length <= length
  )
}

/**
 * Removes or replaces spaces inside, each of which was a `+` or a line break. Text with a `+` or in the URL-safe alphabet lost none;
 * otherwise equal line lengths, or the total length, decide.
 */
function withoutSpaces(text: string): string {
  const breaks = text.replaceAll(' ', '')
  if (breaks.length === text.length || /[+_-]/.test(breaks)) return breaks
  const pluses = text.replaceAll(' ', '+')
  const isPadded = text.includes('=')
  const plusesFit = pluses.length % 4 === 0 && !pluses.includes('=+')
  const noPluses = !plusesFit && (isPadded || pluses.length % 4 === 1)
  const inLines = areLines(text.split(' '))
  if (breaks.length % 4 === 0 && (inLines || noPluses)) return breaks
  if (plusesFit && (isPadded || !inLines)) return pluses
  throw refused('has spaces of which it cannot be told whether they were "+" or line breaks')
}
