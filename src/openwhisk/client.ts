import { setTimeout as sleep } from 'node:timers/promises'
import openwhisk from 'openwhisk'
import pRetry from 'p-retry'
import * as z from 'zod'
import type { Settings } from '../config'
import { messageOf, OpenWhiskError } from '../errors'
import { agentsFor, hintIfUntrusted, type Trust } from '../trust'
import type { Activation } from './activation'

/** Where an OpenWhisk API answers, and who asks. */
export interface ApiAddress extends Trust {
  apiHost: string
  /** `uuid:key`. */
  auth: string
}

/** The few calls of the OpenWhisk API that actions and the command line make. */
export interface OpenWhisk {
  /** Starts an action and returns its activation's id at once. */
  invoke(name: string, params: object): Promise<string>
  /** What an activation has ended with, well or not; undefined while it is under way, or not known (yet). */
  resultOf(activationId: string): Promise<Record<string, unknown> | undefined>
  /** Runs an action and returns its result. */
  call(name: string, params: object): Promise<Record<string, unknown>>
  /** Fires a trigger. Returns the activation id, or undefined when no active rule listens. */
  fire(trigger: string, params: object): Promise<string | undefined>
  /** How much memory an action is given, MB. */
  memoryOf(action: string): Promise<number>
}

/** The address an action may call back; needs the annotation `provide-api-key: true`. */
export function addressOf(
  { apiHost, apiKey, actionName }: Activation,
  { ca }: Pick<Settings, 'ca'>,
): ApiAddress {
  if (!apiHost || !apiKey) {
    throw new OpenWhiskError(0, `${actionName} has no API key to call OpenWhisk with`, {
      hint: 'Deploy it with the annotation provide-api-key: true, as manifest.yaml does.',
    })
  }
  return { apiHost, auth: apiKey, ca }
}

/** Idle connections are kept as long as those of Node.js' global agent, milliseconds. */
const agentOf = agentsFor({ keepAlive: true, scheduling: 'lifo', timeout: 5000 })

/** The npm client of an API host; an address without a scheme, as in `~/.wskprops`, means https. */
export function clientOf(address: ApiAddress): ReturnType<typeof openwhisk> {
  const { apiHost, auth, ca, insecure, cert } = address
  const isUsual = apiHost.startsWith('http:') || !(ca || insecure || cert)
  const client = openwhisk({
    apihost: apiHost,
    api_key: auth,
    // Only where needed: with an agent of its own, the client bypasses the proxy of the environment.
    agent: isUsual ? undefined : agentOf(address),
  })
  // Overrides the agent's own, and __OW_IGNORE_CERTS, which the client's constructor reads.
  baseOf(client).options.ignoreCerts = insecure === true
  return client
}

/** The part of the npm client that all resources share; its types leave it out. */
export const baseOf = (client: ReturnType<typeof openwhisk>) =>
  (client.actions as unknown as { client: BaseClient }).client

interface BaseClient {
  options: { ignoreCerts: boolean }
  request(method: string, path: string, options: object): Promise<unknown>
}

/** Whether a call failed with one of these statuses: one of the npm client, or of {@link tellFeed}. */
export const isStatus =
  (...statuses: number[]) =>
  (thrown: unknown): boolean => {
    const { statusCode, status = 0 } = thrown as { statusCode?: number; status?: number }
    return statuses.includes(statusCode ?? status)
  }

/** Repeats a call that was throttled or failed in passing, after growing, jittered pauses. @throws OpenWhiskError */
export const patiently = <T>(call: () => Promise<T>, retries: number): Promise<T> =>
  pRetry(call, {
    retries,
    minTimeout: 250,
    maxTimeout: 20_000,
    randomize: true,
    shouldRetry: ({ error }) => error instanceof OpenWhiskError && error.retryable,
  })

/** A client whose calls wait out throttling and passing failures with growing, jittered pauses. */
export function connect(address: ApiAddress, retries = 8): OpenWhisk {
  // The client's own retry knows no difference between a throttled call and a wrong one, so it stays off.
  const client = clientOf(address)
  const attempt = <T>(what: string, call: () => Promise<T>, isBlocking = false): Promise<T> =>
    patiently(
      () =>
        call().catch((thrown) => {
          throw asOpenWhiskError(what, thrown, isBlocking)
        }),
      retries,
    )
  return {
    invoke: async (name, params) =>
      (await attempt(`invoke ${name}`, () => client.actions.invoke({ name, params }))).activationId,
    resultOf: (activationId) =>
      attempt(`ask for activation ${activationId}`, () =>
        client.activations.get({ name: activationId }),
      ).then(
        ({ response }) => ({ ...response?.result }),
        (thrown) => {
          if (thrown instanceof OpenWhiskError && (thrown.status === 404 || thrown.retryable))
            return undefined
          throw thrown
        },
      ),
    call: (name, params) =>
      attempt(
        `invoke ${name}`,
        () =>
          client.actions
            .invoke({ name, params, blocking: true, result: true })
            .catch((thrown) => resultOf(client, thrown)),
        true,
      ),
    fire: async (name, params) => {
      const answer = await attempt(`fire ${name}`, () => client.triggers.invoke({ name, params }))
      // 204, no active rule, has no body.
      return answer ? answer.activationId : undefined
    },
    memoryOf: async (name) => {
      // Without its code, which may be megabytes; the types of the client do not know of that.
      const description = { name, code: false }
      const action = await attempt(`read ${name}`, () => client.actions.get(description))
      const memory = action.limits?.memory
      if (typeof memory === 'number') return memory
      throw new OpenWhiskError(0, `${name} has no limit of memory`)
    },
  }
}

/**
 * Has a feed begin or end firing a trigger. Its invocation counts against the rates of the namespace: waits where they
 * are used up.
 * @throws OpenWhiskError, with 502 where the feed itself failed
 */
export const tellFeed = (
  client: ReturnType<typeof openwhisk>,
  event: 'create' | 'delete',
  feed: { name: string; trigger: string; params?: object },
): Promise<unknown> =>
  patiently(
    () =>
      client.feeds[event](feed as never)
        .catch((thrown) => resultOf(client, thrown))
        .catch((thrown) => {
          throw asOpenWhiskError(`${event} ${feed.trigger} at the feed ${feed.name}`, thrown, true)
        }),
    8,
  )

/** Between two looks at an activation that outlasts its blocking call, milliseconds; and how many there are at most. */
const lookEvery = 2_000
const looks = 100

/** After a minute the platform answers a blocking call with the activation's id alone: a cold image takes longer. */
async function resultOf(client: ReturnType<typeof openwhisk>, thrown: unknown): Promise<never> {
  const { activationId } = (thrown ?? {}) as { activationId?: string }
  if (thrown instanceof Error || !activationId) throw thrown
  for (let look = 0; look < looks; look++) {
    await sleep(lookEvery)
    const activation = await client.activations.get({ name: activationId }).catch(() => undefined)
    if (activation?.response?.success) return activation.response.result as never
    if (activation)
      throw Object.assign(new Error('The action failed'), { statusCode: 502, error: activation })
  }
  throw new Error('The action did not end in time')
}

/** Whether a call failed because its activation died: the action itself had no say, and the next may do well. */
export const hasDied = (thrown: unknown): boolean =>
  thrown instanceof OpenWhiskError && diedSchema.safeParse(thrown.cause).success

/** The npm client hands on the activation; the platform calls the end of a container the developer's error. */
const diedSchema = z.object({
  error: z.object({ response: z.object({ status: z.literal('action developer error') }) }),
})

/**
 * What the npm client threw, as an OpenWhiskError that says what was tried.
 * @param isBlocking of a blocking call, 502 is the action's own failure; anywhere else, the platform's
 */
export function asOpenWhiskError(what: string, thrown: unknown, isBlocking = false): OpenWhiskError {
  const status = Number((thrown as { statusCode?: number }).statusCode ?? 0)
  const detail = (thrown as { error?: { error?: string } }).error?.error ?? messageOf(thrown)
  const untrusted = status === 0 && hintIfUntrusted(detail)
  if (untrusted) {
    const message = `Could not ${what}: the API host's certificate is not trusted: ${detail}`
    return new OpenWhiskError(0, message, { cause: thrown, hint: untrusted }, 'tls_untrusted')
  }
  return new OpenWhiskError(status, `Could not ${what}: ${detail}`, {
    cause: thrown,
    // 429 is the platform's throttle; no answer and the server's own failures pass.
    retryable: status === 0 || status === 429 || (status >= 500 && !(isBlocking && status === 502)),
    hint: status === 401 ? 'Check the API key (AUTH in ~/.wskprops).' : undefined,
  })
}
