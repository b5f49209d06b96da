import * as z from 'zod'
import { type ApiAddress, asOpenWhiskError, baseOf, clientOf } from './client'

const kindSchema = z.object({
  /** `nodejs:20`. */
  kind: z.string(),
  /** Actions of a deprecated kind can be read and deleted, but not put or invoked. */
  deprecated: z.boolean().default(false),
})
export type HostKind = z.infer<typeof kindSchema>

const count = z.coerce.number().optional()

/** The parts of `GET /` in use. */
const hostSchema = z.object({
  runtimes: z.object({ nodejs: z.array(kindSchema).default([]) }),
  limits: z
    .object({ actions_per_minute: count, concurrent_actions: count, triggers_per_minute: count })
    .default({}),
})
export type HostDescription = z.infer<typeof hostSchema>

const limitsSchema = z.object({
  invocationsPerMinute: z.number(),
  /** Concurrent invocations. */
  concurrentInvocations: z.number(),
  firesPerMinute: z.number(),
})
/** The rate limits of a namespace. */
export type NamespaceLimits = z.infer<typeof limitsSchema>

/**
 * Reads the runtimes and default limits of an API host.
 * @returns undefined for another response, such as of a gateway that forwards only the API
 * @throws OpenWhiskError when there is no response
 */
export async function describeHost(address: ApiAddress): Promise<HostDescription | undefined> {
  return hostSchema.safeParse(await request(address, '/')).data
}

/**
 * The limits of a namespace, else the default limits of its API host.
 * @returns undefined when neither is available
 * @throws OpenWhiskError when there is no response
 */
export async function limitsOf(
  address: ApiAddress,
  description?: HostDescription,
): Promise<NamespaceLimits | undefined> {
  const own = await request(address, 'namespaces/_/limits')
  const { actions_per_minute, concurrent_actions, triggers_per_minute } = description?.limits ?? {}
  const defaults = {
    invocationsPerMinute: actions_per_minute,
    concurrentInvocations: concurrent_actions,
    firesPerMinute: triggers_per_minute,
  }
  return limitsSchema.safeParse(own).data ?? limitsSchema.safeParse(defaults).data
}

/** A GET request that the client has no method for; undefined if the server refuses it. */
async function request(address: ApiAddress, path: string): Promise<unknown> {
  return baseOf(clientOf(address))
    .request('GET', path, {})
    .catch((thrown) => {
      const error = asOpenWhiskError('read runtimes and limits', thrown)
      if (error.status === 0) throw error
      return undefined
    })
}
