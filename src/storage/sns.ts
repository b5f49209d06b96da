import * as z from 'zod'
import { StorageError } from '../errors'

/** AWS SNS sends this once to a new subscriber, and waits until the URL is opened. */
const confirmationSchema = z.object({ Type: z.literal('SubscriptionConfirmation'), SubscribeURL: z.url() })

/** The hosts of SNS: a forged confirmation must not lead elsewhere. */
const snsHost = /^sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$/

/** The URL that confirms a subscription; undefined for other messages. */
export function confirmationUrl(message: unknown): URL | undefined {
  const parsed = confirmationSchema.safeParse(message)
  return parsed.success ? new URL(parsed.data.SubscribeURL) : undefined
}

/**
 * Confirms a subscription.
 * @throws StorageError `subscription_refused` for a URL outside SNS, or when SNS refuses
 */
export async function confirmSubscription(url: URL, open: typeof fetch = fetch): Promise<void> {
  if (url.protocol !== 'https:' || !snsHost.test(url.hostname) || url.port !== '') {
    throw new StorageError('subscription_refused', 0, `"${url.hostname}" is not a host of SNS`)
  }
  const { ok, status } = await open(url, { redirect: 'error', signal: AbortSignal.timeout(10_000) })
  if (!ok)
    throw new StorageError('subscription_refused', status, `SNS answered ${status} to the confirmation`)
}
