/** The kind of the system's actions, and of those that ask for `nodejs:default`. */
export const defaultKind = 'nodejs:20'

/** The kinds that `GET /` offers. All of them run on the host's own Node.js. */
export const kinds = [defaultKind, 'nodejs:22', 'nodejs:24']
