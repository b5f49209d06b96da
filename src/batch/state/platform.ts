import type { Clock } from '../../clock'
import type { Settings } from '../../config'
import { OpenWhiskError, StorageError } from '../../errors'
import type { Activation } from '../../openwhisk/activation'
import type { OpenWhisk } from '../../openwhisk/client'
import type { Bucket, Store } from '../../storage/store'
import type { Webhook } from '../../webhook/send'

/** All that the batch core reaches the world by; tests script each of it. */
export interface Platform {
  clock: Clock
  /** 0–1. */
  random(): number
  store: Store
  /** A client that repeats no call by itself: a throttled one tells the window to shrink. */
  openwhisk: OpenWhisk
  /** Undefined where none is configured. */
  webhook?: Webhook
}

/** What an activation of the batch core works with. */
export interface Context extends Platform {
  settings: Settings
  results: Bucket
  activation: Activation
}

/** Whether something may succeed later though nothing is changed: a failure of the store or the platform in passing. */
export const mayPass = (thrown: unknown): thrown is StorageError | OpenWhiskError =>
  (thrown instanceof StorageError || thrown instanceof OpenWhiskError) && thrown.retryable

/** What a bucket answers, or `otherwise` where it refuses to tell. */
export async function unlessRefused<T, const U>(asked: Promise<T>, otherwise: U): Promise<T | U> {
  try {
    return await asked
  } catch (thrown) {
    if (thrown instanceof StorageError && !thrown.retryable) return otherwise
    throw thrown
  }
}

/** Pauses between attempts double from the first to the longest one, jittered, milliseconds. */
const firstPause = 250
const longestPause = 20_000

/** Repeats a call that was throttled or failed in passing. @param retries how often; for as long as it takes about a minute */
export async function retrying<T>(
  { clock, random }: Pick<Platform, 'clock' | 'random'>,
  call: () => Promise<T>,
  { retries = 8, isPassing = mayPass as (thrown: unknown) => boolean } = {},
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await call()
    } catch (thrown) {
      if (attempt >= retries || !isPassing(thrown)) throw thrown
      await clock.sleep((1 + random()) * Math.min(firstPause * 2 ** attempt, longestPause))
    }
  }
}
