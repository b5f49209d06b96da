import { PassThrough } from 'node:stream'
import { endOfActivation, Logs } from '../../src/local/containers/logs'

describe('the logs of an activation', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate'] })
  })
  afterEach(() => {
    jest.useRealTimers()
  })

  const begun = () => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()]
    const logs = new Logs(stdout, stderr)
    logs.begin(10_000)
    const said = async () => (await logs.end()).map((line) => line.split(' ').slice(1).join(' '))
    return { stdout, stderr, said }
  }
  /** Advances time, after written lines were read. */
  const pass = async (ms: number) => {
    await new Promise(setImmediate)
    await jest.advanceTimersByTimeAsync(ms)
  }

  it('are awaited while more arrives, up to their end markers', async () => {
    const { stdout, stderr, said } = begun()
    const lines = said()
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      stdout.write(`${name}\n`)
      await pass(800)
    }
    stderr.write(`${endOfActivation}\n`)
    stdout.write(`f\n${endOfActivation}\n`)
    await pass(0)
    expect(await lines).toEqual(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `stdout: ${name}`))
    expect(jest.getTimerCount()).toBe(0)
  })

  it('end without markers after a second of silence', async () => {
    const { stdout, said } = begun()
    const lines = said()
    stdout.write('a\n')
    await pass(1000)
    expect(await lines).toEqual(['stdout: a'])
  })

  it('end after half a minute, whatever still arrives', async () => {
    const { stdout, said } = begun()
    const lines = said()
    for (let i = 0; i < 60; i++) {
      stdout.write('again\n')
      await pass(500)
    }
    expect((await lines).length).toBeGreaterThan(50)
    expect(jest.getTimerCount()).toBe(0)
  })
})
