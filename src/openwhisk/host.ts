import openwhisk from 'openwhisk'
import * as z from 'zod'
import { type ApiAddress, asOpenWhiskError } from './client'

const kindSchema = z.object({
  /** `nodejs:20`. */
  kind: z.string(),
  /** Actions of a deprecated kind can be read and deleted, but neither put nor invoked. */
  deprecated: z.boolean().default(false),
})
export type HostKind = z.infer<typeof kindSchema>

const count = z.coerce.number().optional()

/** The part of the answer to `GET /` that matters here. */
const hostSchema = z.object({
  runtimes: z.object({ nodejs: z.array(kindSchema).default([]) }),
  limits: z
    .object({ actions_per_minute: count, concurrent_actions: count, triggers_per_minute: count })
    .default({}),
})
export type HostDescription = z.infer<typeof hostSchema>

/**
 * Asks an API host for its runtimes and its default limits.
 * @returns undefined when something else answers there, such as a gateway that passes only the API on
 * @throws OpenWhiskError when nothing answers
 */
export async function describeHost({ apiHost, auth }: ApiAddress): Promise<HostDescription | undefined> {
  const base = /^https?:\/\//.test(apiHost) ? apiHost : `https://${apiHost}`
  const client = openwhisk({ api: `${base.replace(/\/+$/, '')}/`, api_key: auth })
  const answer = await requesterOf(client)
    .request('GET', '', {})
    .catch((thrown) => {
      const error = asOpenWhiskError('ask for the runtimes', thrown)
      if (error.status === 0) throw error
      return undefined
    })
  return hostSchema.safeParse(answer).data
}

/** What the client's types leave out: a request of one's own. */
const requesterOf = (client: ReturnType<typeof openwhisk>) =>
  (
    client.actions as unknown as {
      client: { request(method: string, path: string, options: object): Promise<unknown> }
    }
  ).client
