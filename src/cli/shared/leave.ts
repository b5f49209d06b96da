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

/** Ends the process, as soon as what it does is done; nothing more is begun. */
export async function leave(code?: number): Promise<void> {
  await Promise.allSettled([...resting].map((rest) => rest()))
  process.exit(code)
}
