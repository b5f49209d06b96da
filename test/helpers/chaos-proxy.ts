import { once } from 'node:events'
import { passOn, startStoreProxy } from './store-proxy'

export interface Faults {
  /** Share of requests answered with 503 and not forwarded, 0–1. */
  unavailable: number
  /** Share of requests whose connection is cut, before or after the store handles them, 0–1. */
  cut: number
}

/** A proxy in front of an object store that injects intermittent failures, as under load. */
export async function startChaosProxy(
  target: string,
  faults: Faults,
  onRequest: (line: string) => void = () => {},
) {
  const counts = { requests: 0, unavailable: 0, cut: 0 }
  const proxy = await startStoreProxy(target, async (incoming, outgoing, onward) => {
    counts.requests++
    onRequest(`${incoming.method} ${incoming.url}`)
    const fate = Math.random()
    if (fate < faults.unavailable) {
      counts.unavailable++
      incoming.resume()
      outgoing.writeHead(503, { 'content-type': 'application/xml' })
      outgoing.end('<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>')
      return
    }
    if (fate >= faults.unavailable + faults.cut) return passOn(await onward(), outgoing)
    counts.cut++
    if (Math.random() < 0.5) {
      const answer = await onward()
      await once(answer.resume(), 'end')
    }
    incoming.socket.destroy()
  })
  return { ...proxy, faults, counts }
}
