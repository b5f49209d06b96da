import type { Problem } from './api'

/** An error to display. */
export class GalleryError extends Error {
  constructor(
    readonly problem: Problem,
    /** HTTP status; 0 without a response. */
    readonly status = 0,
  ) {
    super(problem.message)
  }
}

export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof GalleryError) return thrown.problem
  return { code: 'internal', message: thrown instanceof Error ? thrown.message : String(thrown) }
}

export const isAbort = (thrown: unknown): boolean => (thrown as { name?: unknown }).name === 'AbortError'

const tooMany = 'OpenWhisk is refusing calls at the moment'

/** Parses an error response: objects from Whisklens, text from the platform. */
export function errorOf(status: number, text: string): GalleryError {
  const error = errorIn(text)
  if (status === 429 || status === 503 || error?.code === 'throttled') {
    const hint = 'The page retries by itself.'
    return new GalleryError({ code: 'throttled', message: tooMany, hint }, status)
  }
  const message = error?.message ?? `The server answered ${status}`
  return new GalleryError({ code: error?.code ?? 'internal', message, hint: error?.hint }, status)
}

function errorIn(text: string): Partial<Problem> | undefined {
  try {
    const { error } = JSON.parse(text)
    return typeof error === 'string' ? { message: error } : error
  } catch {
    return undefined
  }
}
