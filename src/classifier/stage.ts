import { log } from '../log'

/** Runs one stage of the pipeline and, at debug level, logs how long it took. */
export async function stage<T>(name: string, run: () => T | Promise<T>, context: object = {}): Promise<T> {
  const start = performance.now()
  const result = await run()
  log.debug({ stage: name, ms: Math.round((performance.now() - start) * 10) / 10, ...context }, name)
  return result
}
