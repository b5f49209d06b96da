import type { AWSError, Request } from 'ibm-cos-sdk'
import type S3 from 'ibm-cos-sdk/clients/s3'

/** What of an answer the SDK's own listeners work on, which its types leave out. */
interface HttpResponse {
  /** What has come so far; joined to one body in the end. */
  buffers: Uint8Array[]
  body: Buffer
}

/**
 * Has a body written where it is to stay as it comes: collecting the pieces and joining them, as the SDK does, takes its
 * size twice.
 */
export function receiveWhole(request: Request<S3.GetObjectOutput, AWSError>): void {
  let body: Buffer | undefined
  let received = 0
  // Each attempt begins with its headers.
  request.on('httpHeaders', (status, headers) => {
    const length = Number(headers['content-length'] ?? 0)
    body = status < 300 && length > 0 ? Buffer.allocUnsafeSlow(length) : undefined
    received = 0
  })
  request.on('httpData', (chunk, { httpResponse }) => {
    if (!body || received + chunk.length > body.length) return
    body.set(chunk as Uint8Array, received)
    received += chunk.length
    // The SDK's own listener has come before.
    ;(httpResponse as unknown as HttpResponse).buffers.pop()
  })
  request.on('httpDone', ({ httpResponse }) => {
    if (body) (httpResponse as unknown as HttpResponse).body = body.subarray(0, received)
  })
}
