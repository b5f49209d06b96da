import { buffer } from 'node:stream/consumers'
import { passOn, startStoreProxy } from './store-proxy'

interface Gate {
  matches(line: string): boolean
  /** Whether the store gets to see the request before it is held. */
  afterTheStore: boolean
  reach(): void
  opened: Promise<void>
}

/** One request that is held back. */
export interface Held {
  /** Resolves when the request is there and held. */
  reached: Promise<void>
  release(): void
}

/** A proxy before an object store that holds single requests back, so that a test decides what happens first. */
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
    // One request to a gate: the next of the same kind goes through.
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
    /** Holds the next such request before the store sees it. */
    holdRequest: (method: string, path: RegExp): Held => hold(method, path, false),
    /** Holds the answer to the next such request: the store has seen it, the sender knows nothing. */
    holdAnswer: (method: string, path: RegExp): Held => hold(method, path, true),
  }
}
