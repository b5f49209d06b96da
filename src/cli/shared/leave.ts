import { restAll } from '../../library/classify/rest'

/** Ends the process, as soon as what it does is done; nothing more is begun. */
export async function leave(code?: number): Promise<void> {
  await restAll()
  process.exit(code)
}
