/** An error whose message says all: where the runner threw it helps no author. */
export function failure(message: string): Error {
  const error = new Error(message)
  error.stack = message
  return error
}
