/** An error whose stack is its message: the runner's stack trace is useless to authors. */
export function failure(message: string): Error {
  const error = new Error(message)
  error.stack = message
  return error
}
