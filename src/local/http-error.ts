/** An answer of one of the local servers: thrown by a handler, turned into the protocol's error body at the edge. */
export class HttpError extends Error {
  override name = 'HttpError'

  /** @param code of the protocol that the server speaks, not of this project's errors */
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}
