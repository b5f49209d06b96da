import { Agent as HttpAgent } from 'node:http'
import type { Agent as HttpsAgent } from 'node:https'
import { agentsFor, type Trust } from '../trust'

/** A store that hangs must not collect sockets without end. */
const maxSockets = 50

/**
 * Connections that are used again, also by the next activation in a warm container: left to itself, the SDK opens one
 * for each request, which costs more than a small request does, and over TLS many times that.
 */
const plain = new HttpAgent({ keepAlive: true, maxSockets })
const encrypted = agentsFor({ keepAlive: true, maxSockets })

/** @param endpoint a URL; without a scheme it is meant as https, as the SDK has it */
export const connectionsTo = (endpoint: string, trust: Trust): HttpAgent | HttpsAgent =>
  endpoint.startsWith('http:') ? plain : encrypted(trust)
