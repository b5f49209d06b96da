/** Nesting limit of a real server; a scalar counts as one level. */
const maxDepth = 1000

/** JSON.parse with a nesting limit. @throws Error with a real server's message */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  let level = [value]
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > maxDepth) {
      const limit = `JSON input was nested more deeply than the configured limit of maxNesting = ${maxDepth}`
      throw new Error(`JSON input nested too deeply:${limit}`)
    }
    level = level.flatMap(childrenOf)
  }
  return value
}

function childrenOf(value: unknown): unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value) : []
}
