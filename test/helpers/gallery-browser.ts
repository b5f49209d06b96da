import { setTimeout as realSleep } from 'node:timers/promises'
import type { Browser } from '../../src/web/gallery/data/gallery'

/** Milliseconds. */
const longestWait = 90_000

/** What the page's data needs of a browser, with a history and a clock of its own; requests are real. */
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
  /** Addresses of all requests, and what they were made with. */
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

  /** Lets time pass, timer by timer. */
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
    /** Calls of the action, all but requests of the store. */
    calls: () => asked.filter(({ url }) => url.pathname === new URL(address).pathname),
    /** Answers instead of the server, where it does. */
    answer: (instead: typeof answer) => {
      answer = instead
    },
    /** Waits for what requests bring, while a little time passes on the page's clock. */
    until: async (isSo: () => boolean, step = 10) => {
      // A test that ran out of time would leave this running.
      const giveUp = Date.now() + longestWait
      while (!isSo()) {
        if (Date.now() > giveUp) throw new Error(`it never came to be: ${isSo}`)
        await realSleep(2)
        advance(step)
      }
    },
    /** Lets time pass in steps, with what is under way in between. */
    pass: async (milliseconds: number, step = 1000) => {
      for (let passed = 0; passed < milliseconds; passed += step) {
        advance(step)
        await realSleep(5)
      }
    },
    /** Waits for the answers of what was asked: a server that is closed meanwhile would go on with it. */
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
