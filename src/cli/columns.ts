import Table from 'cli-table3'

const sides = ['top', 'bottom', 'left', 'mid', 'right']
const corners = sides.flatMap((side) => [side, `${side}-mid`, `${side}-left`, `${side}-right`])

/** Columns without lines: easy to read, to select and to grep. */
const bare = {
  chars: Object.fromEntries([...corners, 'middle'].map((name) => [name, ''])),
  style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
}

/** Rows as aligned columns. */
export function columns(rows: (string | number)[][]): string {
  const table = new Table(bare)
  table.push(...rows)
  return `${table.toString().replace(/ +$/gm, '')}\n`
}
