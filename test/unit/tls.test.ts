import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { settingsFromParams } from '../../src/config'
import { type ApiAddress, connect } from '../../src/openwhisk/client'
import { schedule } from '../../src/openwhisk/schedule'
import { openStore } from '../../src/storage/store'
import type { Trust } from '../../src/trust'
import { bundle } from '../helpers/bundle'
import { type Authority, makeAuthority, startTlsFront, type TlsFront, testAuthority } from '../helpers/tls'

/*
 * A fake API host and object store in one server, behind TLS fronts with valid and invalid certificates.
 */

let server: Server
let ca: string
let trusted: TlsFront
let expired: TlsFront
let misnamed: TlsFront
let authority: Authority

const answer: RequestListener = ({ url = '' }, response) => {
  if (!url.startsWith('/api/')) return response.writeHead(404, { 'content-length': 0 }).end()
  response.writeHead(202, { 'content-type': 'application/json' }).end('{"activationId":"a1"}')
}

beforeAll(async () => {
  server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  authority = await testAuthority()
  trusted = await startTlsFront(target)
  expired = await startTlsFront(target, { pair: await authority.issue({ expired: true }) })
  misnamed = await startTlsFront(target, { pair: await authority.issue({ address: '127.0.0.9' }) })
  ca = authority.ca
})

afterAll(async () => {
  for (const front of [trusted, expired, misnamed]) await front?.close()
  server.closeAllConnections()
  server.close()
})

const keys = { s3AccessKeyId: 'access', s3SecretAccessKey: 'secret' }

/** A request to each service. */
const sides = {
  store: ({ url }: TlsFront, { ca, insecure }: Trust) =>
    openStore({ ...settingsFromParams({ ...keys, s3Endpoint: url, ca }), insecure })
      .bucket('b')
      .head('k'),
  'API host': ({ url }: TlsFront, trust: Trust) =>
    connect({ apiHost: url, auth: 'a:b', ...trust }).invoke('x', {}),
}

describe.each(Object.entries(sides))('the %s over TLS', (name, ask) => {
  const good = { store: undefined, 'API host': 'a1' }[name]

  it('is reached if its authority is trusted', async () => {
    expect(await ask(trusted, { ca })).toBe(good)
  })

  it('is reached without checks, for a user’s command', async () => {
    for (const front of [trusted, expired, misnamed]) expect(await ask(front, { insecure: true })).toBe(good)
  })

  it.each<[string, () => TlsFront, () => Trust, RegExp]>([
    ['of an unknown authority', () => trusted, () => ({}), /WHISKLENS_CA/],
    ['that expired', () => expired, () => ({ ca }), /needs a valid certificate/],
    ['of another name', () => misnamed, () => ({ ca }), /a name in its certificate/],
  ])(
    'is not reached with a certificate %s: that is told at once, and what to do',
    async (_, front, trust, hint) => {
      const before = front().attempts()
      await expect(ask(front(), trust())).rejects.toMatchObject({
        code: 'tls_untrusted',
        retryable: false,
        status: 0,
        message: expect.stringContaining(`the ${name}'s certificate is not trusted`),
        hint: expect.stringMatching(hint),
      })
      expect(front().attempts() - before).toBe(1)
    },
  )

  it('is not reached with another authority, even if it was reached before', async () => {
    const { ca: another } = await makeAuthority()
    expect(await ask(trusted, { ca })).toBe(good)
    for (const trust of [{ ca: another }, {}]) {
      await expect(ask(trusted, trust)).rejects.toMatchObject({ code: 'tls_untrusted' })
    }
  })

  it('is checked regardless of the environment', async () => {
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
    process.env.__OW_IGNORE_CERTS = 'true'
    try {
      await expect(ask(expired, { ca })).rejects.toMatchObject({ code: 'tls_untrusted' })
      if (name === 'API host') await expect(ask(expired, {})).rejects.toMatchObject({ code: 'tls_untrusted' })
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
      delete process.env.__OW_IGNORE_CERTS
    }
  })

  it('is reached over reused connections', async () => {
    await ask(trusted, { ca })
    const before = trusted.attempts()
    for (let call = 0; call < 5; call++) await ask(trusted, { ca })
    expect(trusted.attempts()).toBe(before)
  })
})

it('NODE_EXTRA_CA_CERTS stays trusted beside another authority', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'whisklens-tls-'))
  const extra = join(folder, 'ca.pem')
  await writeFile(extra, ca)
  const child = await bundle('test/helpers/https-get-child.ts')
  try {
    const args = [trusted.url, JSON.stringify({ ca: (await makeAuthority()).ca })]
    expect((await child.run(args)).stdout).toMatch(/certificate/)
    expect((await child.run(args, { NODE_EXTRA_CA_CERTS: extra })).stdout).toBe('404\n')
  } finally {
    child.remove()
    await rm(folder, { recursive: true })
  }
})

describe('the API host over TLS', () => {
  const auth = 'a:b'
  const invoke = (address: Omit<ApiAddress, 'auth'>) => connect({ auth, ...address }, 0).invoke('x', {})

  it('is assumed if the address has no scheme', async () => {
    expect(await invoke({ apiHost: new URL(trusted.url).host, ca })).toBe('a1')
  })

  it('receives the client certificate if there is one', async () => {
    const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const strict = await startTlsFront(target, { clientsOf: ca })
    const [known, unknown] = [await authority.issue(), await (await makeAuthority()).issue()]
    expect(await invoke({ apiHost: strict.url, ca, ...known })).toBe('a1')
    for (const pair of [{}, unknown]) {
      await expect(invoke({ apiHost: strict.url, ca, ...pair })).rejects.toMatchObject({ status: 0 })
    }
    await strict.close()
  })

  it('is reported as untrusted by all its clients', async () => {
    const wanted = { trigger: 't', action: 'a', minutes: 1, payload: {} }
    await expect(schedule({ apiHost: trusted.url, auth }, wanted)).rejects.toMatchObject({
      code: 'tls_untrusted',
    })
  })
})
