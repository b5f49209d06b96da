/**
 * What has to come to rest before the process may exit: threads that are ended in the middle of native code end it with
 * an error of theirs.
 */
const resting = new Set<() => Promise<void>>()

/** @returns forgets it again */
export function restBeforeExit(rest: () => Promise<void>): () => void {
  resting.add(rest)
  return () => void resting.delete(rest)
}

/** Brings all of it to rest. */
export const restAll = async (): Promise<void> =>
  void (await Promise.allSettled([...resting].map((rest) => rest())))
