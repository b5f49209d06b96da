/** Kind of the system's actions, and of `nodejs:default`. */
export const defaultKind = 'nodejs:20'

/** Kinds listed by `GET /`. All run on the host's own Node.js. */
export const kinds = [defaultKind, 'nodejs:22', 'nodejs:24']
