import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(__dirname, '..', '..')

/** Splits a command line into words, like a shell; supports plain and quoted words. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, bare]) =>
    String(single ?? double ?? bare),
  )
}

/** Every `wsk trigger fire batch-requested` in README and docs, without trailing comments. */
export function documentedFires(): { file: string; command: string }[] {
  const docs = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'))
  return ['README.md', ...docs.map((name) => `docs/${name}`)].flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8').replace(/\\\n\s*/g, ' ')
    const lines = [...text.matchAll(/```(?:sh|bash)\n(.*?)```/gs)].flatMap(([, block = '']) =>
      block.split('\n'),
    )
    const inline = [...text.replace(/```.*?```/gs, '').matchAll(/`(wsk trigger fire [^`]+)`/g)].map(
      ([, one]) => one,
    )
    return [...lines, ...inline].flatMap((line = '') => {
      const command = line
        .replace(/\s+#.*$/, '')
        .replace(/\s+/g, ' ')
        .trim()
      return command.startsWith('wsk trigger fire batch-requested ') ? [{ file, command }] : []
    })
  })
}
