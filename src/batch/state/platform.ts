import type { Clock } from '../../clock'
import type { Settings } from '../../config'
import { OpenWhiskError, StorageError } from '../../errors'
import type { Activation } from '../../openwhisk/activation'
import type { OpenWhisk } from '../../openwhisk/client'
import type { Bucket, Store } from '../../storage/store'
import type { Webhook } from '../../webhook/send'

/** The outside world of the batch core. Tests script all of it. */
export interface Platform {
  clock: Clock
  /** 0–1. */
  random(): number
  store: Store
  /** A client that does not retry: throttling must reach the window, which shrinks. */
  openwhisk: OpenWhisk
  /** Undefined where none is configured. */
  webhook?: Webhook
}

/** The context of an activation. */
export interface Context extends Platform {
  settings: Settings
  results: Bucket
  activation: Activation
}

/** Whether an error is transient: it may succeed when retried unchanged. */
export const isTransient = (thrown: unknown): thrown is StorageError | OpenWhiskError =>
  (thrown instanceof StorageError || thrown instanceof OpenWhiskError) && thrown.retryable

/** Awaits a request to a bucket; `otherwise` when it is refused permanently. */
export async function unlessRefused<T, const U>(asked: Promise<T>, otherwise: U): Promise<T | U> {
  try {
    return await asked
  } catch (thrown) {
    if (thrown instanceof StorageError && !thrown.retryable) return otherwise
    throw thrown
  }
}

/** Backoff between attempts, doubled each time and jittered, milliseconds. */
const minBackoff = 250
const maxBackoff = 20_000

/** Retries a call after transient failures. @param retries by default about a minute's worth */
export async function retrying<T>(
  { clock, random }: Pick<Platform, 'clock' | 'random'>,
  call: () => Promise<T>,
  { retries = 8, isPassing: isRetryable = isTransient as (thrown: unknown) => boolean } = {},
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await call()
    } catch (thrown) {
      if (attempt >= retries || !isRetryable(thrown)) throw thrown
      await clock.sleep((1 + random()) * Math.min(minBackoff * 2 ** attempt, maxBackoff))
    }
  }
}
