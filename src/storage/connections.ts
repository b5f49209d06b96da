import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'

/** A store that hangs must not collect sockets without end. */
const maxSockets = 50

/**
 * Connections that are used again, also by the next activation in a warm container: left to itself, the SDK opens one
 * for each request, which costs more than a small request does, and over TLS many times that.
 */
const agents = {
  'http:': new HttpAgent({ keepAlive: true, maxSockets }),
  'https:': new HttpsAgent({ keepAlive: true, maxSockets }),
}

/** @param endpoint a URL; without a scheme it is meant as https, as the SDK has it */
export const connectionsTo = (endpoint: string): HttpAgent | HttpsAgent =>
  agents[endpoint.startsWith('http:') ? 'http:' : 'https:']
