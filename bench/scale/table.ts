/** Formats rows as a Markdown table; the first is the header. */
export function table(rows: (string | number)[][]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => String(row[column]).length)),
  )
  const lines = rows.map((row) => row.map((cell, column) => String(cell).padStart(widths[column] ?? 0)))
  const rule = widths.map((width) => `${'-'.repeat(width - 1)}:`)
  const [head = [], ...body] = lines
  return [head, rule, ...body].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

/** `1,000,000` */
export const thousands = (value: number): string => value.toLocaleString('en-US')

/** Milliseconds as `1:07:05`. */
export function time(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000)
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  return [h, m, s].map((value) => String(value).padStart(2, '0')).join(':')
}

export const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1024 / 1024)} MB`
