import type { Bucket } from '../../src/storage/store'
import { setClock } from '../unit/batch-fixtures'

const hour = 60 * 60 * 1000

/** URLs that stay the same for an hour can be read from a real server. @param open creates a new, empty bucket */
export function hourlyContract(open: () => Promise<Bucket>): void {
  let bucket: Bucket
  beforeAll(async () => {
    bucket = await open()
  })
  afterEach(() => jest.useRealTimers())

  /** Signs a URL at a time of the signer's clock. */
  const signedAt = (time: number, key: string, version = 'v1') => {
    setClock(time)
    const signed = bucket.presignHourly(key, version)
    jest.useRealTimers()
    return signed
  }

  it('are stable for an hour, and valid throughout', async () => {
    const key = 'ünï/a b+c&d%41.jpg'
    await bucket.put(key, 'hello')
    const fullHour = Date.now() - (Date.now() % hour)
    const [first, last, next] = [0, hour - 1, hour].map((time) => signedAt(fullHour + time, key))
    expect(last).toEqual(first)
    expect(next?.url).not.toBe(first?.url)
    expect(first?.expires).toBe(new Date(fullHour + 2 * hour).toISOString())
    const answer = await fetch(first?.url ?? '', { headers: { range: 'bytes=1-3' } })
    expect([answer.status, await answer.text()]).toEqual([206, 'ell'])
    expect(answer.headers.get('cache-control')).toBe('private, max-age=7200, immutable, version="v1"')
  })

  it('differ per version, so that caches do not mix them up', async () => {
    await bucket.put('a', 'hello')
    const now = Date.now()
    const [one, other] = ['v1', 'v2'].map((version) => signedAt(now, 'a', version).url)
    expect(one).not.toBe(other)
    for (const url of [one, other]) expect(await (await fetch(url ?? '')).text()).toBe('hello')
  })

  it('do not change how other requests are signed', async () => {
    await bucket.put('a', 'hello')
    signedAt(Date.now() - 5 * hour, 'a')
    expect((await bucket.get('a')).body.toString()).toBe('hello')
    expect((await fetch(bucket.presign('a', 60))).status).toBe(200)
  })
}
