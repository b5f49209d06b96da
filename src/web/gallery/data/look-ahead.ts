/** Positions on screen, the last excluded. */
export interface Window {
  first: number
  last: number
  /** One scrolls towards the beginning. */
  isUp?: boolean
}

/** Records an answer has as a rule, and at most. */
const perCall = { usual: 100, most: 200 }

/** So far ahead of the screen is looked for what is missing, positions. */
const farthest = 400

/**
 * Which rows to ask for next: those on screen that are not known, filled up with the ones that come next. None as long as
 * the screen and the one after it are known, so that scrolling makes few calls.
 */
export function rowsToAsk(
  shown: Uint32Array,
  { first, last, isUp = false }: Window,
  isKnown: (row: number) => boolean,
): number[] {
  const end = Math.min(last, shown.length)
  const onScreen = [...shown.subarray(Math.max(0, first), end)].filter((row) => !isKnown(row))
  const after = isUp
    ? [...shown.subarray(Math.max(0, first - farthest), Math.max(0, first))].reverse()
    : [...shown.subarray(end, end + farthest)]
  const isNextKnown = after.slice(0, last - first).every(isKnown)
  if (onScreen.length === 0 && isNextKnown) return []
  const ahead = after.filter((row) => !isKnown(row))
  return [...onScreen, ...ahead].slice(0, Math.min(perCall.most, Math.max(perCall.usual, onScreen.length)))
}
