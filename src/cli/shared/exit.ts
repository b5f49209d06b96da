import { cleanUp } from '../../library/classify/exit-cleanup'

/** Runs registered cleanups, then exits the process. */
export async function exitCleanly(code?: number): Promise<void> {
  await cleanUp()
  process.exit(code)
}
