import stringWidth from 'string-width'

/** Spaces between columns. */
const gap = 2

/** Minimum width that a column is shrunk to. */
const minColumnWidth = 8

/** Width of the terminal; undefined, for no limit, if stdout is not a terminal. */
const terminalWidth = (): number | undefined => (process.stdout.isTTY ? process.stdout.columns : undefined)

/**
 * Formats rows as aligned columns without rules, easy to select and grep.
 * @param room characters per line; longer cells are wrapped, at spaces if possible
 */
export function columns(rows: (string | number)[][], room = terminalWidth()): string {
  const texts = rows.map((row) => row.map(String))
  const widths = measured(texts, stringWidth)
  if (room !== undefined) shrinkTo(texts, widths, room)
  return texts.map((row) => lineOf(row, widths)).join('')
}

/** Maximum measure of the cells, per column. */
const measured = ([first = [], ...others]: string[][], measure: (text: string) => number): number[] =>
  first.map((text, at) => others.reduce((most, row) => Math.max(most, measure(row[at] ?? '')), measure(text)))

/** A row; several lines if a cell is wrapped. */
function lineOf(row: string[], widths: number[]): string {
  const cells = row.map((text, at) => wrap(text, widths[at] ?? 0))
  const height = Math.max(...cells.map(({ length }) => length))
  return Array.from({ length: height }, (_, line) => {
    const padded = cells.map((cell, at) => pad(cell[line] ?? '', (widths[at] ?? 0) + gap))
    return `${padded.join('').trimEnd()}\n`
  }).join('')
}

const pad = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - stringWidth(text)))

/** Shrinks columns until they fit: first the widest, down to its longest word, then from the right, breaking words. */
function shrinkTo(rows: string[][], widths: number[], room: number): void {
  const excess = () => widths.reduce((sum, width) => sum + width + gap, -gap) - room
  const words = measured(rows, (text) => Math.max(...text.split(' ').map(stringWidth)))
  const slack = () => widths.map((width, at) => (width > (words[at] ?? 0) ? width : 0))
  for (let widest = Math.max(...slack()); excess() > 0 && widest > 0; widest = Math.max(...slack()))
    widths[slack().indexOf(widest)] = widest - 1
  for (let at = widths.length - 1; at >= 0; at--) {
    const width = widths[at] ?? 0
    widths[at] = Math.max(Math.min(width, minColumnWidth), width - Math.max(0, excess()))
  }
}

/** @returns the lines of a text */
function wrap(text: string, width: number): string[] {
  if (stringWidth(text) <= width) return [text]
  const lines: string[] = []
  let line = ''
  for (const piece of text.split(' ').flatMap((word) => pieces(word, width))) {
    const longer = line === '' ? piece : `${line} ${piece}`
    if (stringWidth(longer) > width) lines.push(line)
    line = stringWidth(longer) > width ? piece : longer
  }
  return [...lines, line]
}

const graphemes = new Intl.Segmenter()

/** Splits a word that is too long. */
function pieces(word: string, width: number): string[] {
  if (stringWidth(word) <= width) return [word]
  const found = ['']
  for (const { segment } of graphemes.segment(word)) {
    const longer = `${found.at(-1)}${segment}`
    if (stringWidth(longer) > width) found.push(segment)
    else found[found.length - 1] = longer
  }
  return found
}
