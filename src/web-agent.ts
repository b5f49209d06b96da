import { createRequire } from 'node:module'
import type { EnvHttpProxyAgent } from 'undici'
import { settingsFromEnvironment } from './config'
import { tlsOptions } from './trust'

/** So long may an answer, or the next piece of it, take. Milliseconds. */
const patience = 30_000

/** Loaded when it is needed, and not bundled: Node.js reads a bundle whole before it runs any of it. */
const undici = (): typeof import('undici') => createRequire(__filename)('undici')

/** Node's own fetch ignores proxies; this agent respects HTTPS_PROXY, HTTP_PROXY, NO_PROXY and WHISKLENS_CA. */
export function openWebAgent(): EnvHttpProxyAgent {
  const { emitWarning } = process
  const { ca } = settingsFromEnvironment()
  const connect = tlsOptions({ ca })
  // For direct connections, connections through a proxy, and the proxy itself.
  const trust = { connect, requestTls: connect, proxyTls: connect }
  // It calls itself experimental on stderr.
  process.emitWarning = () => {}
  try {
    const { EnvHttpProxyAgent } = undici()
    return new EnvHttpProxyAgent({ headersTimeout: patience, bodyTimeout: patience, ...trust })
  } finally {
    process.emitWarning = emitWarning
  }
}

/** fetch by such an agent. */
export const webFetch: typeof import('undici').fetch = (...request) => undici().fetch(...request)

/** What is wrong with a connection: fetch only says that it failed; its cause says why. */
export const reasonOf = (thrown: unknown): string => {
  const { cause = thrown } = thrown as Error
  return cause instanceof Error ? cause.message || String((cause as { code?: string }).code) : String(cause)
}
