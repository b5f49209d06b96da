import { log } from '../log'

/** Runs a stage of the pipeline and logs its duration at debug level. */
export async function stage<T>(name: string, run: () => T | Promise<T>, context: object = {}): Promise<T> {
  const start = performance.now()
  const result = await run()
  log.debug({ stage: name, ms: Math.round((performance.now() - start) * 10) / 10, ...context }, name)
  return result
}
