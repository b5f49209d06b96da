import type { Outcome } from '../containers/pool'
import { parseJson } from './json'
import { sizes } from './limits'

/** By the code that lists of activations show. */
export const statuses = [
  'success',
  'application error',
  'action developer error',
  'whisk internal error',
] as const
type Status = (typeof statuses)[number]

export interface ActivationResponse {
  result: unknown
  /** Of the result, in characters of JSON. */
  size?: number
  status: Status
  success: boolean
}

/** The response that is an error; whatever else the action returned is dropped, as on a real server. */
export function errorResponse(status: Status, error: unknown): ActivationResponse {
  return { result: { error }, size: JSON.stringify({ error }).length, status, success: false }
}

/** What an activation's response is, from what its container answered or how it ended, in a real server's words. */
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

/** Undefined for text that is not JSON, or is nested too deep. */
function resultIn(body: string): unknown {
  try {
    return parseJson(body)
  } catch {
    return undefined
  }
}
