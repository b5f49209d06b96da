import { signal } from '@preact/signals-core'
import { deployedBudget } from '../../src/web/gallery/data/budget'
import { refresherOf } from '../../src/web/gallery/data/live'
import { testBrowser } from '../helpers/gallery-browser'

/** Pauses before each refresh of a running batch, milliseconds. */
function pausesOf(count: number, { isQuick = false, took = 10 } = {}) {
  const browser = testBrowser('http://localhost/results')
  const budget = deployedBudget(browser.now)
  const action = {
    waitFor: (purpose: 'user' | 'live') => (isQuick ? 0 : budget.waitFor(purpose)),
    throttledUntil: signal(0),
  }
  const pauses: number[] = []
  const live = refresherOf(
    browser,
    action,
    () => isQuick,
    async () => budget.spend(),
  )
  for (let done = 0; done < count; done++) {
    live.plan(true, took)
    const pause = (live.state.value.nextAt ?? 0) - browser.now()
    pauses.push(pause)
    browser.advance(pause)
  }
  live.stop()
  return pauses
}

describe('pauses between refreshes', () => {
  it('are short at first, and about a minute after two minutes', () => {
    const pauses = pausesOf(12)
    expect(pauses[0]).toBe(1500)
    expect(pauses[3]).toBeLessThan(6000)
    expect(Math.max(...pauses)).toBeGreaterThan(60_000)
    expect(Math.max(...pauses)).toBeLessThanOrEqual(100_000)
  })

  it('are a second if calls are free', () => {
    expect(pausesOf(12, { isQuick: true })).toEqual(Array.from({ length: 12 }, () => 1000))
  })

  it('are twenty times the duration of the answer in the action', () => {
    expect(pausesOf(1, { took: 500, isQuick: true })).toEqual([10_000])
  })
})
