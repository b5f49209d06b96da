import { buffer } from 'node:stream/consumers'
import { passOn, startStoreProxy } from './store-proxy'

interface Gate {
  matches(line: string): boolean
  /** Whether the request is forwarded before it is held. */
  afterTheStore: boolean
  reach(): void
  opened: Promise<void>
}

/** A held request. */
export interface Held {
  /** Resolves when the request has arrived and is held. */
  reached: Promise<void>
  release(): void
}

/** A proxy in front of an object store that holds single requests, so that a test controls their order. */
export async function startGateProxy(target: string) {
  const gates = new Set<Gate>()

  function hold(method: string, path: RegExp, afterTheStore: boolean): Held {
    let reach = (): void => {}
    let release = (): void => {}
    const reached = new Promise<void>((resolve) => {
      reach = resolve
    })
    const opened = new Promise<void>((resolve) => {
      release = resolve
    })
    const matches = (line: string) => line.startsWith(`${method} `) && path.test(line)
    gates.add({ matches, afterTheStore, reach, opened })
    return { reached, release }
  }

  const proxy = await startStoreProxy(target, async (incoming, outgoing, onward) => {
    const line = `${incoming.method} ${incoming.url}`
    const gate = [...gates].find((one) => one.matches(line))
    if (!gate) return passOn(await onward(), outgoing)
    // Each gate holds one request; the next one of the same kind passes.
    gates.delete(gate)
    if (!gate.afterTheStore) {
      gate.reach()
      await gate.opened
      return passOn(await onward(), outgoing)
    }
    const answer = await onward()
    const body = await buffer(answer)
    gate.reach()
    await gate.opened
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
    outgoing.end(body)
  })
  return {
    ...proxy,
    /** Holds the next matching request before the store receives it. */
    holdRequest: (method: string, path: RegExp): Held => hold(method, path, false),
    /** Holds the answer to the next matching request: the store has handled it, the client does not know yet. */
    holdAnswer: (method: string, path: RegExp): Held => hold(method, path, true),
  }
}
