import { randomBytes, randomUUID } from 'node:crypto'

export const newActivationId = (): string => randomUUID().replaceAll('-', '')

/** Id of a request, or of a component's invocation in a sequence. */
export const newTransaction = (): string => randomBytes(24).toString('base64url').replace(/[-_]/g, '0')
