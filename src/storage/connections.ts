import { Agent as HttpAgent } from 'node:http'
import type { Agent as HttpsAgent } from 'node:https'
import { agentsFor, type Trust } from '../trust'

/** Bounds the sockets to a store that hangs. */
const maxSockets = 50

/**
 * Keep-alive connections, reused by later activations in a warm container. By default the SDK opens one per request,
 * which costs more than a small request, over TLS many times more.
 */
const plain = new HttpAgent({ keepAlive: true, maxSockets })
const encrypted = agentsFor({ keepAlive: true, maxSockets })

/** @param endpoint a URL; without a scheme it means https, as in the SDK */
export const connectionsTo = (endpoint: string, trust: Trust): HttpAgent | HttpsAgent =>
  endpoint.startsWith('http:') ? plain : encrypted(trust)
