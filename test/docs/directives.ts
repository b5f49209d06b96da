/* Directives: HTML comments above a block, `<!-- name: value -->`. */

export interface Directives {
  /** Reason not to run the block. */
  leftOut?: string
  /** Expected exit code; 0 by default. */
  exit?: number
  /** Name of a file to which the block is written, instead of running it. */
  file?: string
  /** The block is skipped unless this program is on PATH. */
  needs?: string
  /** Texts that must appear in stdout. */
  prints: string[]
  /** Name of the schema that the block must match. */
  check?: string
  /** Hidden setup commands, run before the block. */
  before?: string
  /** Error in a directive. */
  problem?: string
  /** Expected status of a request; 200 to 399 by default. */
  status?: number
}

const setters: Record<string, (directives: Directives, value: string) => void> = {
  'left out': (to, value) => {
    to.leftOut = value
  },
  exit: (to, value) => {
    to.exit = Number(value)
  },
  file: (to, value) => {
    to.file = value
  },
  needs: (to, value) => {
    to.needs = value
  },
  prints: (to, value) => {
    to.prints.push(value)
  },
  check: (to, value) => {
    to.check = value
  },
  before: (to, value) => {
    to.before = to.before ? `${to.before}\n${value}` : value
  },
  status: (to, value) => {
    to.status = Number(value)
  },
}

/** Parses the directives above a block. Other comments are ignored. */
export function readDirectives(comments: string[]): Directives {
  const directives: Directives = { prints: [] }
  for (const comment of comments) {
    const [, name = '', value = ''] = /^<!-- ([a-z ]+): (.+) -->$/s.exec(comment.trim()) ?? []
    if (!name) continue
    const set = Object.hasOwn(setters, name) && setters[name]
    if (set) set(directives, value.trim())
    else directives.problem = `There is no directive of the name "${name}"`
  }
  return directives
}
