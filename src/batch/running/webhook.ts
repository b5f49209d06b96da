import { msOf } from '../../clock'
import { messageOf } from '../../errors'
import { log } from '../../log'
import type { BatchSummary } from '../../schema'
import { sha256Of } from '../../sha256'
import type { Message } from '../../webhook/sign'
import { parseWebhookKey, type WebhookEntry, webhookKey, webhooksPrefix } from '../state/layout'
import { type Context, retrying } from '../state/platform'

/*
 * An outbox. A message is stored before its run counts as announced, and removed once the receiver accepts it. It is
 * delivered at least once, always with the same id.
 */

/** Attempts in the activation that ends a run, over some 10 s if the receiver answers at once. */
const retries = 4

/**
 * Delay before the next activation tries again, minutes, by the number of activations that have tried. The first covers
 * activations that died. 28 hours in all.
 */
const retryMinutes = [1, 5, 30, 120, 300, 600, 600]

/** Messages tried concurrently per activation: each may take until its timeout. */
const maxMessages = 16

/** A pending message, as listed. */
type Waiting = WebhookEntry & { key: string }

/** Stores the message about the end of a run. Idempotent. */
export async function storeMessage(summary: BatchSummary, run: number, context: Context): Promise<void> {
  if (!context.webhook) return
  const key = webhookKey({ batch: summary.batch, run, tried: 0 })
  await context.results.put(key, JSON.stringify(summary), { contentType: 'application/json' })
}

/** Delivers the message of an announced run. On failure {@link deliverDue} tries again. */
export async function deliver(batch: string, run: number, context: Context): Promise<void> {
  if (!context.webhook) return
  const entry = { batch, run, tried: 0 }
  await attempt({ ...entry, key: webhookKey(entry) }, retries, context)
}

/** Delivers messages left by earlier activations. */
export async function deliverDue(context: Context): Promise<void> {
  if (!context.webhook) return
  const due: Waiting[] = []
  for await (const { key, lastModified } of context.results.list({ prefix: webhooksPrefix })) {
    const entry = parseWebhookKey(key)
    if (entry && isDue(entry, msOf(lastModified), context.clock.now())) due.push({ ...entry, key })
    if (due.length === maxMessages) break
  }
  await Promise.all(due.map((waiting) => attempt(waiting, 0, context)))
}

/** @param since when the message was stored or last tried */
const isDue = ({ tried }: WebhookEntry, since: number, now: number): boolean =>
  now - since >= (retryMinutes[tried] ?? 0) * 60_000

/** Never throws: a receiver must not fail an activation. */
async function attempt(waiting: Waiting, retries: number, context: Context): Promise<void> {
  const { batch, run, key } = waiting
  try {
    const found = await context.results.find(key)
    if (!found) return
    const body = found.body.toString('utf8')
    const message = { id: idOf(waiting, body), body }
    if (await isAccepted(message, waiting, retries, context))
      log.info({ batch, run, webhookId: message.id }, 'the webhook accepted the message')
    else if (await context.results.head(key)) await postpone(waiting, body, context)
    await context.results.delete(key)
  } catch (thrown) {
    log.warn({ batch, run, reason: messageOf(thrown) }, 'the webhook message could not be updated')
  }
}

/** The same in every attempt and activation, as the summary is the same. */
const idOf = ({ batch, run }: WebhookEntry, body: string): string =>
  `msg_${sha256Of(`${batch}~${run}\n${body}`).slice(0, 32)}`

async function isAccepted(
  message: Message,
  { batch, run }: WebhookEntry,
  retries: number,
  context: Context,
): Promise<boolean> {
  const send = async () => context.webhook?.send(message, context.clock.now())
  try {
    await retrying(context, send, { retries, isPassing: () => true })
    return true
  } catch (thrown) {
    log.warn({ batch, run, reason: messageOf(thrown) }, 'the webhook did not accept the message')
    return false
  }
}

/** Writes the new entry before the old one is deleted: after a crash both are delivered under one id. */
async function postpone({ batch, run, tried }: Waiting, body: string, { results }: Context): Promise<void> {
  if (tried + 1 < retryMinutes.length) await results.put(webhookKey({ batch, run, tried: tried + 1 }), body)
  else log.error({ batch, run }, 'the webhook message was dropped: delivery failed for more than a day')
}
