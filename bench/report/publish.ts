import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Findings } from '../findings'
import { plot } from './plot'
import { chunksTable, coldStartsTable, contestantsTable, machineLine, ratiosTable } from './tables'

const sections: Record<string, (found: Findings) => string> = {
  contestants: contestantsTable,
  ratios: ratiosTable,
  chunks: chunksTable,
  'cold-starts': coldStartsTable,
  run: (found) => `\`${found.run.command}\`, ${found.at.slice(0, 10)}: ${machineLine(found)}.\n`,
}

/**
 * Replaces the text between `<!-- name -->` and `<!-- /name -->` in benchmarks.md, and the plot beside it.
 * @param folder of the documents
 */
export async function publish(found: Findings, folder: string): Promise<void> {
  const file = join(folder, 'benchmarks.md')
  let text = await readFile(file, 'utf8')
  for (const [name, make] of Object.entries(sections)) {
    const [begin, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`]
    const [from, to] = [text.indexOf(begin), text.indexOf(end)]
    if (from === -1 || to < from) throw new Error(`${file} has no place for ${name}`)
    text = `${text.slice(0, from + begin.length)}\n${make(found)}\n${text.slice(to)}`
  }
  await writeFile(file, text)
  await writeFile(join(folder, 'benchmarks.svg'), plot(found))
}
