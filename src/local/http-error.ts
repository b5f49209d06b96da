/** Error response of a local server, converted to the protocol's error body at the edge. */
export class HttpError extends Error {
  override name = 'HttpError'

  /** @param code of the server's protocol, not one of this project's error codes */
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}
