import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Block } from './markdown'
import { sharedFolder } from './shared'
import { commandsOf } from './shell'

/* Counts of what has been run, over all worker processes. */

interface Counted {
  page: string
  language: string
  commands: number
}

const file = (): string => join(sharedFolder(), 'counts.jsonl')

/** Counts a block that passed. */
export function countBlock(page: string, { language, text }: Block): void {
  const counted: Counted = { page, language, commands: language === 'sh' ? commandsOf(text).length : 0 }
  appendFileSync(file(), `${JSON.stringify(counted)}\n`)
}

/** Summary of all counts. */
export function countsLine(): string {
  const lines = existsSync(file()) ? readFileSync(file(), 'utf8').trim().split('\n') : []
  const all = lines.map((line) => JSON.parse(line) as Counted)
  const of = (...languages: string[]): Counted[] => all.filter(({ language }) => languages.includes(language))
  const commands = all.reduce((sum, one) => sum + one.commands, 0)
  const pages = new Set(all.map(({ page }) => page)).size
  return (
    `${all.length} examples of ${pages} pages: ${of('sh').length} blocks of shell with ${commands} commands, ` +
    `${of('ts', 'js').length} programs, ${of('http').length} requests, ${of('json', 'yaml').length} of JSON or YAML`
  )
}
