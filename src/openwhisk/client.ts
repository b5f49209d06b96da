import { setTimeout as sleep } from 'node:timers/promises'
import openwhisk from 'openwhisk'
import pRetry from 'p-retry'
import * as z from 'zod'
import type { Settings } from '../config'
import { messageOf, OpenWhiskError } from '../errors'
import { agentsFor, hintIfUntrusted, type Trust } from '../trust'
import type { Activation } from './activation'

/** An OpenWhisk API and its credentials. */
export interface ApiAddress extends Trust {
  apiHost: string
  /** `uuid:key`. */
  auth: string
}

/** The OpenWhisk calls used by actions and the command line. */
export interface OpenWhisk {
  /** Invokes an action without waiting. @returns the activation id */
  invoke(name: string, params: object): Promise<string>
  /** The result of an ended activation; undefined while it runs or is unknown. */
  resultOf(activationId: string): Promise<Record<string, unknown> | undefined>
  /** Invokes an action and waits for its result. */
  call(name: string, params: object): Promise<Record<string, unknown>>
  /** Fires a trigger. @returns the activation id, or undefined when it has no active rule */
  fire(trigger: string, params: object): Promise<string | undefined>
  /** The memory limit of an action, MB. */
  memoryOf(action: string): Promise<number>
}

/** The API of the platform that runs this action; requires the annotation `provide-api-key: true`. */
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

/** Idle timeout as in Node.js' global agent, milliseconds. */
const agentOf = agentsFor({ keepAlive: true, scheduling: 'lifo', timeout: 5000 })

/** The npm client of an API host. An address without a scheme, as in `~/.wskprops`, means https. */
export function clientOf(address: ApiAddress): ReturnType<typeof openwhisk> {
  const { apiHost, auth, ca, insecure, cert } = address
  const isDefault = apiHost.startsWith('http:') || !(ca || insecure || cert)
  const client = openwhisk({
    apihost: apiHost,
    api_key: auth,
    // Only when needed: with its own agent the client bypasses the environment's proxy.
    agent: isDefault ? undefined : agentOf(address),
  })
  // Overrides the agent's option and __OW_IGNORE_CERTS, which the constructor reads.
  baseOf(client).options.ignoreCerts = insecure === true
  return client
}

/** The base shared by the npm client's resources; missing in its types. */
export const baseOf = (client: ReturnType<typeof openwhisk>) =>
  (client.actions as unknown as { client: BaseClient }).client

interface BaseClient {
  options: { ignoreCerts: boolean }
  request(method: string, path: string, options: object): Promise<unknown>
}

/** The address of a web action of Whisklens. @param namespace not `_` */
export function webAddress(apiHost: string, namespace: string, action: string): string {
  const { origin } = new URL(/^https?:/.test(apiHost) ? apiHost : `https://${apiHost}`)
  return `${origin}/api/v1/web/${namespace}/whisklens/${action}`
}

/** Tests for HTTP statuses, of errors from the npm client or {@link invokeFeed}. */
export const isStatus =
  (...statuses: number[]) =>
  (thrown: unknown): boolean => {
    const { statusCode, status = 0 } = thrown as { statusCode?: number; status?: number }
    return statuses.includes(statusCode ?? status)
  }

/** Retries transient failures with jittered exponential backoff. @throws OpenWhiskError */
export const withRetries = <T>(call: () => Promise<T>, retries: number): Promise<T> =>
  pRetry(call, {
    retries,
    minTimeout: 250,
    maxTimeout: 20_000,
    randomize: true,
    shouldRetry: ({ error }) => error instanceof OpenWhiskError && error.retryable,
  })

/** A client that retries throttled calls and transient failures with jittered exponential backoff. */
export function connect(address: ApiAddress, retries = 8): OpenWhisk {
  // The npm client's own retry does not distinguish throttling from errors, so it stays off.
  const client = clientOf(address)
  const attempt = <T>(what: string, call: () => Promise<T>, isBlocking = false): Promise<T> =>
    withRetries(
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
      attempt(`read activation ${activationId}`, () => client.activations.get({ name: activationId })).then(
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
      // 204, no active rule: the body is empty.
      return answer ? answer.activationId : undefined
    },
    memoryOf: async (name) => {
      // Without the code, which may be megabytes. The client's types lack the option.
      const description = { name, code: false }
      const action = await attempt(`read ${name}`, () => client.actions.get(description))
      const memory = action.limits?.memory
      if (typeof memory === 'number') return memory
      throw new OpenWhiskError(0, `${name} has no memory limit`)
    },
  }
}

/**
 * Asks a feed to start or stop firing a trigger. Its invocation counts against the namespace's rate limits, and is
 * retried when throttled.
 * @throws OpenWhiskError, with 502 when the feed itself failed
 */
export const invokeFeed = (
  client: ReturnType<typeof openwhisk>,
  event: 'create' | 'delete',
  feed: { name: string; trigger: string; params?: object },
): Promise<unknown> =>
  withRetries(
    () =>
      client.feeds[event](feed as never)
        .catch((thrown) => resultOf(client, thrown))
        .catch((thrown) => {
          throw asOpenWhiskError(`${event} ${feed.trigger} at the feed ${feed.name}`, thrown, true)
        }),
    8,
  )

/** Poll interval for an activation that outlasts its blocking call, milliseconds, and number of polls. */
const pollEvery = 2_000
const maxPolls = 100

/**
 * Waits for the result: after a minute a blocking call returns only the activation id, and pulling an image takes
 * longer.
 */
async function resultOf(client: ReturnType<typeof openwhisk>, thrown: unknown): Promise<never> {
  const { activationId } = (thrown ?? {}) as { activationId?: string }
  if (thrown instanceof Error || !activationId) throw thrown
  for (let poll = 0; poll < maxPolls; poll++) {
    await sleep(pollEvery)
    const activation = await client.activations.get({ name: activationId }).catch(() => undefined)
    if (activation?.response?.success) return activation.response.result as never
    if (activation)
      throw Object.assign(new Error('The action failed'), { statusCode: 502, error: activation })
  }
  throw new Error('The action did not end in time')
}

/** Whether a call failed because its container died rather than the action: a retry may succeed. */
export const containerDied = (thrown: unknown): boolean =>
  thrown instanceof OpenWhiskError && diedSchema.safeParse(thrown.cause).success

/** The npm client's error contains the activation. The platform attributes a dead container to the developer. */
const diedSchema = z.object({
  error: z.object({ response: z.object({ status: z.literal('action developer error') }) }),
})

/**
 * Converts an error of the npm client.
 * @param what that was attempted
 * @param isBlocking in a blocking call 502 means that the action failed; in others, that the platform did
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
    // Transient: 429 is throttling, 0 no response, 5xx the server's failure.
    retryable: status === 0 || status === 429 || (status >= 500 && !(isBlocking && status === 502)),
    hint: status === 401 ? 'Check the API key (AUTH in ~/.wskprops).' : undefined,
  })
}
