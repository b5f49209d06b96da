import { msOf } from '../../clock'
import { messageOf } from '../../errors'
import { log } from '../../log'
import type { BatchSummary } from '../../schema'
import { sha256Of } from '../../sha256'
import type { Message } from '../../webhook/sign'
import { parseWebhookKey, type WebhookEntry, webhookKey, webhooksPrefix } from '../state/layout'
import { type Context, retrying } from '../state/platform'

/*
 * An outbox. A message is stored before the end of its run is recorded as announced, and removed once the receiver has
 * accepted it: whatever dies in between, it is delivered at least once, always under the same id.
 */

/** Attempts in the activation that ends a run: some 10 s in all where the receiver answers at once. */
const retries = 4

/**
 * So old is a message of which so many activations have tried to deliver it when the next one does: one that reconciles or
 * polls. The first is for activations that died. 28 hours in all.
 */
const minutes = [1, 5, 30, 120, 300, 600, 600]

/** So many messages are tried in one activation, side by side: each may take until its time-out. */
const most = 16

/** A message that waits, by the listing alone. */
type Waiting = WebhookEntry & { key: string }

/** Stores the message about the end of a run. Repeated, it stores the same. */
export async function storeMessage(summary: BatchSummary, run: number, context: Context): Promise<void> {
  if (!context.webhook) return
  const key = webhookKey({ batch: summary.batch, run, tried: 0 })
  await context.results.put(key, JSON.stringify(summary), { contentType: 'application/json' })
}

/** Delivers the message of a run that was announced. What fails here is left to {@link deliverDue}. */
export async function deliver(batch: string, run: number, context: Context): Promise<void> {
  if (!context.webhook) return
  const entry = { batch, run, tried: 0 }
  await attempt({ ...entry, key: webhookKey(entry) }, retries, context)
}

/** Delivers what earlier activations could not, or died over. */
export async function deliverDue(context: Context): Promise<void> {
  if (!context.webhook) return
  const due: Waiting[] = []
  for await (const { key, lastModified } of context.results.list({ prefix: webhooksPrefix })) {
    const entry = parseWebhookKey(key)
    if (entry && isDue(entry, msOf(lastModified), context.clock.now())) due.push({ ...entry, key })
    if (due.length === most) break
  }
  await Promise.all(due.map((waiting) => attempt(waiting, 0, context)))
}

/** @param since when it was stored, or tried last */
const isDue = ({ tried }: WebhookEntry, since: number, now: number): boolean =>
  now - since >= (minutes[tried] ?? 0) * 60_000

/** Never throws: a receiver is no reason for an activation to fail. */
async function attempt(waiting: Waiting, retries: number, context: Context): Promise<void> {
  const { batch, run, key } = waiting
  try {
    const found = await context.results.find(key)
    if (!found) return
    const body = found.body.toString('utf8')
    const message = { id: idOf(waiting, body), body }
    if (await isAccepted(message, waiting, retries, context))
      log.info({ batch, run, webhookId: message.id }, 'the webhook has accepted the end of the batch')
    else if (await context.results.head(key)) await postpone(waiting, body, context)
    await context.results.delete(key)
  } catch (thrown) {
    log.warn({ batch, run, reason: messageOf(thrown) }, 'the message to the webhook stays as it is')
  }
}

/** The same for each attempt, and for each activation that ends the run: they have the same summary. */
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
    log.warn({ batch, run, reason: messageOf(thrown) }, 'the webhook did not accept the end of the batch')
    return false
  }
}

/** The new entry comes before the old one goes: should this die in between, both are delivered under one id. */
async function postpone({ batch, run, tried }: Waiting, body: string, { results }: Context): Promise<void> {
  if (tried + 1 < minutes.length) await results.put(webhookKey({ batch, run, tried: tried + 1 }), body)
  else log.error({ batch, run }, 'the message to the webhook was given up: it failed for more than a day')
}
