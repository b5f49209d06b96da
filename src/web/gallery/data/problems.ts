import type { Problem } from './api'

/** A failure that people are told of. */
export class Trouble extends Error {
  constructor(
    readonly problem: Problem,
    /** HTTP status; 0 without an answer. */
    readonly status = 0,
  ) {
    super(problem.message)
  }
}

export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof Trouble) return thrown.problem
  return { code: 'internal', message: thrown instanceof Error ? thrown.message : String(thrown) }
}

export const isAbort = (thrown: unknown): boolean => (thrown as { name?: unknown }).name === 'AbortError'

const tooMany = 'OpenWhisk takes no more calls at the moment'

/** What an answer that is none says: ours are objects, the platform's are text. */
export function troubleOf(status: number, text: string): Trouble {
  const error = errorIn(text)
  if (status === 429 || status === 503 || error?.code === 'throttled') {
    const hint = 'The page goes on by itself.'
    return new Trouble({ code: 'throttled', message: tooMany, hint }, status)
  }
  const message = error?.message ?? `The server answered ${status}`
  return new Trouble({ code: error?.code ?? 'internal', message, hint: error?.hint }, status)
}

function errorIn(text: string): Partial<Problem> | undefined {
  try {
    const { error } = JSON.parse(text)
    return typeof error === 'string' ? { message: error } : error
  } catch {
    return undefined
  }
}
