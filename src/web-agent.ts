import { createRequire } from 'node:module'
import type { EnvHttpProxyAgent } from 'undici'
import { settingsFromEnvironment } from './config'
import { tlsOptions } from './trust'

/** Timeout of headers and of body chunks, milliseconds. */
const timeout = 30_000

/** Loaded lazily and not bundled: Node.js parses a whole bundle before running it. */
const undici = (): typeof import('undici') => createRequire(__filename)('undici')

/** Node's fetch ignores proxies; this agent respects HTTPS_PROXY, HTTP_PROXY, NO_PROXY and WHISKLENS_CA. */
export function openWebAgent(): EnvHttpProxyAgent {
  const { emitWarning } = process
  const { ca } = settingsFromEnvironment()
  const connect = tlsOptions({ ca })
  // For direct connections, connections through a proxy, and the proxy itself.
  const trust = { connect, requestTls: connect, proxyTls: connect }
  // undici warns on stderr that the agent is experimental.
  process.emitWarning = () => {}
  try {
    const { EnvHttpProxyAgent } = undici()
    return new EnvHttpProxyAgent({ headersTimeout: timeout, bodyTimeout: timeout, ...trust })
  } finally {
    process.emitWarning = emitWarning
  }
}

/** The fetch that accepts such an agent. */
export const webFetch: typeof import('undici').fetch = (...request) => undici().fetch(...request)

/** The reason of a failed fetch, which is in its cause. */
export const reasonOf = (thrown: unknown): string => {
  const { cause = thrown } = thrown as Error
  return cause instanceof Error ? cause.message || String((cause as { code?: string }).code) : String(cause)
}
