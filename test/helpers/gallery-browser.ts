import { setTimeout as realSleep } from 'node:timers/promises'
import type { Browser } from '../../src/web/gallery/data/gallery'

/** Milliseconds. */
const longestWait = 90_000

/** Browser APIs for the page's data, with its own history and clock; requests are real. */
export function testBrowser(address: string) {
  const history = [address]
  const overlays = new Set<number>()
  let at = 0
  let now = Date.now()
  let hidden = false
  let timers: { at: number; run: () => void }[] = []
  const listeners = { address: new Set<() => void>(), hidden: new Set<() => void>() }
  const listen = (set: Set<() => void>) => (changed: () => void) => {
    set.add(changed)
    return () => void set.delete(changed)
  }
  /** All requests. */
  const asked: { url: URL; range?: string }[] = []
  let inFlight = 0
  let answer: ((url: URL) => Response | undefined) | undefined

  const back = () => {
    at = Math.max(0, at - 1)
    for (const changed of listeners.address) changed()
  }

  const browser: Browser = {
    address: () => history[at] as string,
    setAddress: (to, how) => {
      if (how === 'replace') history[at] = to
      else history.splice(++at, history.length, to)
      if (how === 'overlay') overlays.add(at)
      else if (how === 'push') overlays.delete(at)
    },
    closeOverlay: () => {
      const isOverlay = overlays.has(at)
      if (isOverlay) back()
      return isOverlay
    },
    onAddress: listen(listeners.address),
    isHidden: () => hidden,
    onHidden: listen(listeners.hidden),
    fetch: async (input, init) => {
      const url = new URL(String(input))
      const range = new Headers(init?.headers).get('range') ?? undefined
      asked.push({ url, range })
      const instead = answer?.(url)
      if (instead) return instead
      inFlight++
      return fetch(input, init).finally(() => inFlight--)
    },
    send: async ({ url, headers, body }, progress) => {
      const response = await fetch(url, { method: 'PUT', headers, body })
      progress(body.size)
      return { status: response.status, text: await response.text() }
    },
    now: () => now,
    after: (milliseconds, run) => {
      const timer = { at: now + milliseconds, run }
      timers.push(timer)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
  }

  /** Advances the clock, timer by timer. */
  const advance = (milliseconds: number) => {
    const end = now + milliseconds
    for (;;) {
      const [next] = timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)
      if (!next) break
      timers = timers.filter((timer) => timer !== next)
      now = Math.max(now, next.at)
      next.run()
    }
    now = end
  }

  return {
    ...browser,
    asked,
    advance,
    history,
    /** Calls of the action; excludes requests to the store. */
    calls: () => asked.filter(({ url }) => url.pathname === new URL(address).pathname),
    /** Overrides the server's answers; return undefined to let a request through. */
    answer: (instead: typeof answer) => {
      answer = instead
    },
    /** Polls until a condition holds, advancing the page's clock slowly. */
    until: async (isSo: () => boolean, step = 10) => {
      // Otherwise, the loop would outlive a test that timed out.
      const giveUp = Date.now() + longestWait
      while (!isSo()) {
        if (Date.now() > giveUp) throw new Error(`Timed out waiting for ${isSo}`)
        await realSleep(2)
        advance(step)
      }
    },
    /** Advances the clock in steps, with time for pending requests in between. */
    pass: async (milliseconds: number, step = 1000) => {
      for (let passed = 0; passed < milliseconds; passed += step) {
        advance(step)
        await realSleep(5)
      }
    },
    /** Waits for pending requests, which would keep a closed server busy. */
    idle: async () => {
      while (inFlight > 0) await realSleep(2)
    },
    back,
    hide: (isHidden: boolean) => {
      hidden = isHidden
      for (const changed of listeners.hidden) changed()
    },
  }
}
export type TestBrowser = ReturnType<typeof testBrowser>
