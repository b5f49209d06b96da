/** The deepest nesting that a real server accepts; a scalar counts as a level. */
const deepest = 1000

/** As JSON.parse. @throws Error with a real server's message where the text is nested deeper than the limit */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  let level = [value]
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > deepest) {
      const limit = `JSON input was nested more deeply than the configured limit of maxNesting = ${deepest}`
      throw new Error(`JSON input nested too deeply:${limit}`)
    }
    level = level.flatMap(childrenOf)
  }
  return value
}

function childrenOf(value: unknown): unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value) : []
}
