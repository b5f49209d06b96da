/** Positions on screen, end exclusive. */
export interface Window {
  first: number
  last: number
  /** Scrolling up. */
  isUp?: boolean
}

/** Records per call: typical, and maximum. */
const perCall = { typical: 100, max: 200 }

/** How far ahead of the screen to look for missing records, positions. */
const maxDistance = 400

/**
 * Rows to request next: missing ones on screen, filled up with the following ones. Empty while the screen and the next one are
 * loaded, so that scrolling makes few calls.
 */
export function rowsToLoad(
  shown: Uint32Array,
  { first, last, isUp = false }: Window,
  isKnown: (row: number) => boolean,
): number[] {
  const end = Math.min(last, shown.length)
  const onScreen = [...shown.subarray(Math.max(0, first), end)].filter((row) => !isKnown(row))
  const after = isUp
    ? [...shown.subarray(Math.max(0, first - maxDistance), Math.max(0, first))].reverse()
    : [...shown.subarray(end, end + maxDistance)]
  const isNextKnown = after.slice(0, last - first).every(isKnown)
  if (onScreen.length === 0 && isNextKnown) return []
  const ahead = after.filter((row) => !isKnown(row))
  return [...onScreen, ...ahead].slice(0, Math.min(perCall.max, Math.max(perCall.typical, onScreen.length)))
}
