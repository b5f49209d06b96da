/** A reproducible random sequence. */
export interface Random {
  /** From 0 to 1, exclusive. */
  next(): number
  chance(probability: number): boolean
  /** A whole number, both ends included. */
  between(min: number, max: number): number
  pick<T>(values: readonly T[]): T
  /** An independent sequence for one purpose. */
  fork(purpose: string): Random
}

/** FNV-1a over UTF-16 units, 32 bits. */
export function hashOf(text: string, from = 0x811c9dc5): number {
  let hash = from
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return hash >>> 0
}

/** mulberry32: cheap, and good enough for schedules. */
export function seeded(seed: number): Random {
  let state = seed | 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1))
  return {
    next,
    chance: (probability) => next() < probability,
    between,
    pick: (values) => values[between(0, values.length - 1)] as (typeof values)[number],
    fork: (purpose) => seeded(hashOf(`${seed} ${purpose}`)),
  }
}
