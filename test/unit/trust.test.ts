import fc from 'fast-check'
import { InvalidInputError } from '../../src/errors'
import { certificatesIn, hintIfUntrusted } from '../../src/trust'
import { makeAuthority } from '../helpers/tls'

let one: string
let other: string
let key: string

beforeAll(async () => {
  const [first, second] = await Promise.all([makeAuthority(), makeAuthority()])
  ;[one, other] = [first.ca.trim(), second.ca.trim()]
  key = (await first.issue()).key
})

const tidy = (...pem: string[]) => pem.map((text) => `${text.replaceAll('\r\n', '\n')}\n`).join('')

describe('the certificates of authorities', () => {
  it('are parsed whatever happened to their line breaks', () => {
    const separator = fc.constantFrom('\n', '\r\n', '\\n', '\\r\\n', ' ', '\n\n', '\n  ')
    fc.assert(
      fc.property(separator, fc.boolean(), (breaks, inBase64) => {
        const text = tidy(one, other).replace(/\r?\n/g, breaks)
        expect(certificatesIn(inBase64 ? Buffer.from(text).toString('base64') : text)).toBe(tidy(one, other))
      }),
    )
  })

  it('are unchanged when parsed again', () => {
    expect(certificatesIn(certificatesIn(one))).toBe(certificatesIn(one))
  })

  it('are kept without private keys and surrounding text', () => {
    expect(certificatesIn(`${key}\nCertificate:\n    Data: …\n${one}\n${key}`)).toBe(tidy(one))
  })

  it('are an error that says what to set if there is none, and nothing else', () => {
    const broken = fc
      .tuple(fc.nat(), fc.string())
      .map(([at, text]) => one.slice(0, at % one.length) + text + one.slice(at % one.length))
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), broken), (text) => {
        try {
          expect(certificatesIn(text)).toMatch(/^-----BEGIN CERTIFICATE-----\n/)
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(InvalidInputError)
          expect(thrown).toMatchObject({
            message: expect.stringContaining('WHISKLENS_CA'),
            hint: expect.anything(),
          })
        }
      }),
    )
    expect(() => certificatesIn(key)).toThrow('WHISKLENS_CA contains no certificate')
    expect(() => certificatesIn(one.replace(/\n.{30}/, '\n'))).toThrow('cannot be parsed')
  })
})

describe('a connection failure', () => {
  it.each([
    'self-signed certificate',
    'self-signed certificate in certificate chain',
    'unable to get local issuer certificate',
    'unable to verify the first certificate',
    'certificate revoked',
    'invalid CA certificate',
  ])('"%s" is fixed by an authority', (message) => {
    expect(hintIfUntrusted(message)).toContain('WHISKLENS_CA')
  })

  it.each([
    'certificate has expired',
    'certificate is not yet valid',
    "Hostname/IP does not match certificate's altnames: Host: x. is not in the cert's altnames: DNS:y",
  ])('"%s" is about trust, and not fixed by an authority', (message) => {
    expect(hintIfUntrusted(message)).toEqual(expect.not.stringContaining('WHISKLENS_CA'))
  })

  it.each([
    'connect ECONNREFUSED 127.0.0.1:443',
    'socket hang up',
    'getaddrinfo ENOTFOUND certificates.altnames.example',
    'write EPROTO 80:error:0A00010B:SSL routines:ssl3_get_record:wrong version number',
    'error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:SSL alert number 116',
  ])('"%s" is not about trust', (message) => {
    expect(hintIfUntrusted(message)).toBeUndefined()
  })
})
