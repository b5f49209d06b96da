/**
 * Cleanups to run before the process exits: Node aborts with an error if threads are terminated inside native code.
 */
const cleanups = new Set<() => Promise<void>>()

/** @returns a function that unregisters the cleanup */
export function cleanUpBeforeExit(cleanup: () => Promise<void>): () => void {
  cleanups.add(cleanup)
  return () => void cleanups.delete(cleanup)
}

/** Runs all registered cleanups. */
export const cleanUp = async (): Promise<void> =>
  void (await Promise.allSettled([...cleanups].map((cleanup) => cleanup())))
