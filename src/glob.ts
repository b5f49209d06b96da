import { RE2JS } from 're2js'
import { InvalidInputError, messageOf } from './errors'

/*
 * RE2 matches in linear time. JavaScript's regular expressions backtrack: `*a*a*a*a*b` takes them hours.
 */

/** The limit of a key, bytes. */
const maxLength = 1024

/** With this many a key of 1,000 characters takes up to 2 ms: seconds for a page of a listing. */
const maxWildcards = 50

/** The tokens of a glob, except braces, and their regular expressions. */
const rules: [token: RegExp, source: (found: RegExpExecArray) => string][] = [
  [/\\(.)/suy, ([, char = '']) => RE2JS.quote(char)],
  // As a whole segment: any number of folders, including none.
  [/(?<=^|[/{,])\*\*\//uy, () => '(?:.*/)?'],
  [/(?<=^|[/{,])\*\*(?=$|[,}])/uy, () => '.*'],
  [/\*+/uy, () => '[^/]*'],
  [/\?/uy, () => '[^/]'],
  [
    /\[([!^]?)(\]?(?:\\.|[^\]\\])*)\]/suy,
    ([, not, members = '']) => `[${not && '^/'}${quoteMembers(members)}]`,
  ],
  [/[^\\[\](){}|]/suy, ([char]) => RE2JS.quote(char)],
]

const quoteMembers = (members: string): string =>
  members.replace(/\\(.)|[[\]^]/gsu, (char, escaped) =>
    escaped === '-' ? char : RE2JS.quote(escaped ?? char),
  )

function sourceAt(glob: string, position: number): { source: string; length: number } {
  for (const [token, source] of rules) {
    token.lastIndex = position
    const found = token.exec(glob)
    if (found) return { source: source(found), length: found[0].length }
  }
  throw new SyntaxError(`it has an unexpected "${glob[position]}" at position ${position + 1}`)
}

/** @param commas counted per open brace */
function braceSource(char: string | undefined, commas: number[]): string | undefined {
  const last = commas.at(-1)
  if (char === '{') {
    commas.push(0)
    return '(?:'
  }
  if (char === ',' && last !== undefined) {
    commas[commas.length - 1] = last + 1
    return '|'
  }
  if (char !== '}' || last === undefined) return undefined
  if (last === 0) throw new SyntaxError('it has braces without a comma')
  commas.pop()
  return ')'
}

/** @throws SyntaxError */
function sourceOf(glob: string): string {
  if (glob.startsWith('!')) throw new SyntaxError('it starts with "!"')
  const commas: number[] = []
  let whole = ''
  for (let position = 0; position < glob.length; ) {
    const brace = braceSource(glob[position], commas)
    const { source, length } = brace ? { source: brace, length: 1 } : sourceAt(glob, position)
    whole += source
    position += length
  }
  if (commas.length > 0) throw new SyntaxError('it has an unclosed brace')
  return whole
}

const tooComplex = `a glob has at most ${maxLength} characters and ${maxWildcards} wildcards`

function compile(glob: string): RE2JS {
  try {
    if (glob.length > maxLength || (glob.match(/[*?[]/g) ?? []).length > maxWildcards)
      throw new SyntaxError(tooComplex)
    return RE2JS.compile(sourceOf(glob), RE2JS.DOTALL)
  } catch (cause) {
    const shown = glob.length > 80 ? `${glob.slice(0, 80)}…` : glob
    throw new InvalidInputError('bad_parameter', `The glob "${shown}" is not valid: ${messageOf(cause)}`, {
      hint: 'Use *, ** for folders, ?, [a-z], [!a-z] and {a,b}; a backslash makes the next character literal.',
      cause,
    })
  }
}

/**
 * Compiles a glob. `*` matches any characters except `/`, `**` as a segment any folders, `?` one character, `[…]` one
 * of a set, `{a,b}` alternatives. A glob without a slash is matched against the key's last segment.
 * @throws InvalidInputError for an invalid glob, or too many wildcards
 */
export function globMatcher(glob: string): (key: string) => boolean {
  const pattern = compile(glob)
  const isName = !glob.includes('/')
  return (key) => pattern.testExact(isName ? key.slice(key.lastIndexOf('/') + 1) : key)
}
