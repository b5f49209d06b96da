import type { Outcome } from '../containers/pool'
import { parseJson } from './json'
import { sizes } from './limits'

/** Indexed by `statusCode`. */
export const statuses = [
  'success',
  'application error',
  'action developer error',
  'whisk internal error',
] as const
type Status = (typeof statuses)[number]

export interface ActivationResponse {
  result: unknown
  /** Length of the result as JSON, characters. */
  size?: number
  status: Status
  success: boolean
}

/** An error response; as on a real server, everything else that the action returned is dropped. */
export function errorResponse(status: Status, error: unknown): ActivationResponse {
  return { result: { error }, size: JSON.stringify({ error }).length, status, success: false }
}

/** Converts the outcome of a container to a response, with a real server's messages. */
export function responseOf({ answer, phase }: Outcome, timeout: number): ActivationResponse {
  const isInit = phase === 'init'
  const developerError = (error: unknown) => errorResponse('action developer error', error)
  if (answer === 'memory') return developerError('The action exhausted its memory and was aborted.')
  if (answer === 'timeout') {
    const where = isInit ? ' during initialization.' : '.'
    return developerError(`The action exceeded its time limits of ${timeout} milliseconds${where}`)
  }
  if (answer === 'exit') {
    const failed = isInit ? 'did not initialize' : 'did not produce a valid response'
    return developerError(`The action ${failed} and exited unexpectedly.`)
  }
  const { status, body } = answer
  const size = Buffer.byteLength(body)
  if (size > sizes.result) {
    const lengths = `exceeded the allowed length: ${size} > ${sizes.result} bytes`
    const text = `The action produced a response that ${lengths}. The truncated response was: `
    return errorResponse('application error', text + body.slice(0, sizes.result))
  }
  const result = resultIn(body)
  const isObject = typeof result === 'object' && result !== null
  const error = isObject && 'error' in result ? result.error : undefined
  if (status !== 200) return developerError(error)
  if (error !== undefined) return errorResponse('application error', error)
  if (isObject) return { result, size: body.length, status: 'success', success: true }
  return developerError(`The action did not produce a valid JSON or JSON Array response: ${body}`)
}

/** Undefined if the text is not JSON or is nested too deep. */
function resultIn(body: string): unknown {
  try {
    return parseJson(body)
  } catch {
    return undefined
  }
}
