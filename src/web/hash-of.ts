import { createHash } from 'node:crypto'

/** Hash of a script or style for a content security policy. */
export const hashOf = (text: string): string =>
  `'sha256-${createHash('sha256').update(text).digest('base64')}'`
