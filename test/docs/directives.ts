/*
 * What an HTML comment above a block says about it: `<!-- name: value -->`.
 */

export interface Directives {
  /** Why the block is not run. */
  leftOut?: string
  /** The exit code that the block must have; 0 otherwise. */
  exit?: number
  /** The block is written to this file instead of run. */
  file?: string
  /** The block is run only where this program is on PATH. */
  needs?: string
  /** Texts that stdout must contain. */
  prints: string[]
  /** The name of the schema that the block must match. */
  check?: string
  /** Commands that readers do not see, run before the block. */
  before?: string
  /** What is wrong with a comment. */
  problem?: string
  /** The status with which a request must be answered; 200 to 399 otherwise. */
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

/** The directives of the comments above a block. Comments without a directive's form are remarks for authors. */
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
