import { handOver } from '../../src/batch/run/hand-over'
import { OpenWhiskError } from '../../src/errors'

/** How often it was slept. */
let mockSlept: number
jest.mock('node:timers/promises', () => ({
  setTimeout: async () => {
    mockSlept++
  },
}))
beforeEach(() => {
  mockSlept = 0
})

const action = '/guest/whisklens/start-batch'
const throttled = new OpenWhiskError(429, 'Too many requests', { retryable: true })

/** A platform that refuses so many invocations. */
function platformOf(refusals: number, refusal = throttled) {
  const invoke = jest.fn<Promise<string>, [string, object]>(async () => {
    if (invoke.mock.calls.length <= refusals) throw refusal
    return 'successor'
  })
  return { invoke }
}

describe('handing over', () => {
  it('invokes one successor, which is to carry on', async () => {
    const platform = platformOf(0)
    await handOver(platform, action, 'b1', async () => true)
    expect(platform.invoke.mock.calls).toEqual([[action, { batch: 'b1', resume: true }]])
  })

  it('goes on until the platform has room, and says each time that somebody is there', async () => {
    const platform = platformOf(40)
    const renew = jest.fn(async () => true)
    await handOver(platform, action, 'b1', renew)
    expect([platform.invoke, renew].map(({ mock }) => mock.calls.length)).toEqual([41, 41])
    expect(mockSlept).toBe(40)
  })

  it('stops when somebody else has taken charge', async () => {
    const platform = platformOf(40)
    const renew: jest.Mock<Promise<boolean>, []> = jest.fn(async () => renew.mock.calls.length <= 3)
    await handOver(platform, action, 'b1', renew)
    expect(platform.invoke).toHaveBeenCalledTimes(3)
  })

  it('fails with what will not pass', async () => {
    const platform = platformOf(1, new OpenWhiskError(401, 'Who are you?'))
    await expect(handOver(platform, action, 'b1', async () => true)).rejects.toThrow('Who are you?')
    expect(platform.invoke).toHaveBeenCalledTimes(1)
  })
})
