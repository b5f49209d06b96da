/** A reproducible sequence of numbers from 0 to 1: Lehmer's generator with the constants of Park and Miller. */
export function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
}
