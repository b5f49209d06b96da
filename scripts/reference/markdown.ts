/** First line of a page: the source to edit instead of the page. */
export const generatedBy = (source: string): string => `Generated from ${source} by \`npm run reference\`.`

const cell = (text: string | number): string => String(text).replaceAll('|', '\\|').replaceAll('\n', ' ')

const line = (cells: (string | number)[]): string => `| ${cells.map(cell).join(' | ')} |`

export function table(header: string[], rows: (string | number)[][]): string {
  return [line(header), `|${'---|'.repeat(header.length)}`, ...rows.map(line)].join('\n')
}

export const code = (text: string): string => `\`${text}\``

/** A code block. @param directive for the runner of the examples, such as `left out: …` */
export const block = (language: string, text: string, directive?: string): string =>
  [...(directive ? [`<!-- ${directive} -->`] : []), `\`\`\`${language}`, text.trim(), '```'].join('\n')

const maxWidth = 120

/** Formats JSON; arrays and objects that fit are on one line. */
export function json(value: unknown, indent = ''): string {
  const short = JSON.stringify(value, null, 1).replace(/\n\s*/g, ' ')
  if (typeof value !== 'object' || value === null || indent.length + short.length <= maxWidth) return short
  const inner = `${indent}  `
  const parts = Array.isArray(value)
    ? value.map((item) => inner + json(item, inner))
    : Object.entries(value).map(([name, item]) => `${inner}${JSON.stringify(name)}: ${json(item, inner)}`)
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  return `${open}\n${parts.join(',\n')}\n${indent}${close}`
}

/** Joins paragraphs, tables and blocks with empty lines. */
export const page = (...parts: string[]): string => `${parts.join('\n\n')}\n`
