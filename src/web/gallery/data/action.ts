import { type ReadonlySignal, signal } from '@preact/signals-core'
import type { Browser } from './api'
import type { Budget, Purpose } from './budget'
import { errorOf, GalleryError, isAbort } from './problems'

export type Query = Record<string, string | string[] | undefined>

export interface Action {
  /** Waits until the budget and the platform allow the call. @throws GalleryError */
  ask<T>(query: Query, purpose: Purpose, signal?: AbortSignal): Promise<T>
  urlOf(query: Query): string
  /** Milliseconds until a call is allowed. */
  waitFor(purpose: Purpose): number
  /** Milliseconds since the epoch until which the platform refuses calls; 0 if it does not. */
  throttledUntil: ReadonlySignal<number>
}

/** Backoff after a refusal, milliseconds; the platform's limits are per minute. */
const pauses = { first: 15_000, max: 60_000 }

/** The action `results`, which also served the page. */
export function actionOf(browser: Browser, budget: Budget): Action {
  const page = new URL(browser.address())
  const token = page.searchParams.get('token')
  const throttledUntil = signal(0)
  let pause = pauses.first

  const urlOf = (query: Query): string => {
    const url = new URL(page.pathname, page)
    const all = { token: token ?? undefined, ...query }
    for (const [name, value] of Object.entries(all))
      for (const one of [value ?? []].flat()) url.searchParams.append(name, one)
    return url.href
  }

  const waitFor = (purpose: Purpose) =>
    Math.max(budget.waitFor(purpose), throttledUntil.value - browser.now(), 0)

  const refused = (trouble: GalleryError): GalleryError => {
    if (trouble.problem.code !== 'throttled') return trouble
    throttledUntil.value = browser.now() + pause
    pause = Math.min(pauses.max, pause * 2)
    return trouble
  }

  const call = async (query: Query, abort?: AbortSignal): Promise<string> => {
    budget.spend()
    const response = await browser
      .fetch(urlOf({ format: 'json', ...query }), { signal: abort })
      .catch((thrown) => {
        throw isAbort(thrown) ? thrown : unreachable()
      })
    const text = await response.text()
    if (!response.ok) throw refused(errorOf(response.status, text))
    return text
  }

  return {
    urlOf,
    waitFor,
    throttledUntil,
    async ask<T>(query: Query, purpose: Purpose, abort?: AbortSignal) {
      for (let wait = waitFor(purpose); wait > 0; wait = waitFor(purpose)) await pauseOf(browser, wait, abort)
      abort?.throwIfAborted()
      const text = await call(query, abort)
      throttledUntil.value = 0
      pause = pauses.first
      return JSON.parse(text) as T
    },
  }
}

const unreachable = (): GalleryError =>
  new GalleryError({
    code: 'network',
    message: 'The server cannot be reached',
    hint: 'Check the connection, and that Whisklens is running.',
  })

/** @throws the reason of `abort` */
const pauseOf = (
  { after }: Pick<Browser, 'after'>,
  milliseconds: number,
  abort?: AbortSignal,
): Promise<void> =>
  new Promise((done, fail) => {
    const end = () => {
      cancel()
      fail(abort?.reason)
    }
    const cancel = after(milliseconds, () => {
      abort?.removeEventListener('abort', end)
      done()
    })
    abort?.addEventListener('abort', end, { once: true })
  })
