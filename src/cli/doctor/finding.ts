import { hintOf, messageOf, WhisklensError } from '../../errors'

/** Result of one check. */
export interface Finding {
  name: string
  /** `absent`: missing, but optional. */
  state: 'ok' | 'absent' | 'failed'
  detail: string
  hint?: string
}

export type Check = Omit<Finding, 'name'>

export const ok = (detail: string): Check => ({ state: 'ok', detail })

export const absent = (detail: string, hint?: string): Check => ({ state: 'absent', detail, hint })

export const failed = (thrown: unknown): Check => ({
  state: 'failed',
  detail: messageOf(thrown),
  hint: thrown instanceof WhisklensError ? hintOf(thrown) : undefined,
})
