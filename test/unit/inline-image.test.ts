import fc from 'fast-check'
import { imageBytes } from '../../src/classifier/inline-image'
import { InvalidInputError } from '../../src/errors'
import { sample } from '../helpers/images'

const cat = sample('cat')
const text = cat.toString('base64')
const unpadded = (base64: string): string => base64.replace(/=+$/, '')
const wrapped = (base64: string, length: number, lineEnd: string): string =>
  base64.replace(new RegExp(`.{${length}}(?=.)`, 'g'), `$&${lineEnd}`)

/** Base64 as decoded by an HTML form: `+` becomes a space, as from a client that does not encode it. */
const formEncoded = (base64: string): string => new URLSearchParams(`image=${base64}`).get('image') ?? ''

/** The bytes, or undefined if refused. */
function bytesOf(base64: string): Buffer | undefined {
  try {
    return imageBytes(base64)
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(InvalidInputError)
    return undefined
  }
}

describe('an image sent as text', () => {
  it.each([
    ['base64', text],
    ['base64 without padding', unpadded(text)],
    ['URL-safe base64', cat.toString('base64url')],
    ['URL-safe base64 in lines', wrapped(cat.toString('base64url'), 76, ' ')],
    ['lines of 76', wrapped(text, 76, '\n')],
    ['lines of 64 with CRLF', `\r\n${wrapped(text, 64, '\r\n')}\r\n`],
    ['lines that became one, with spaces', wrapped(text, 76, ' ')],
    ['spaces around it', `  ${text} `],
    ['a data: URL', `data:image/jpeg;base64,${text}`],
    ['a data: URL with parameters', `DATA:image/jpeg;charset=utf-8;BASE64,${text}`],
    ['a data: URL without a type', `data:;base64,${text}`],
    ['a data: URL in lines', `data:image/jpeg;base64,\n${wrapped(text, 76, '\n')}\n`],
    ['a form', formEncoded(text)],
    ['a form, in lines', formEncoded(wrapped(text, 76, '\n'))],
    ['a data: URL in a form', formEncoded(`data:image/svg+xml;base64,${text}`)],
  ])('is decoded from %s', (_, given) => {
    expect(imageBytes(given).equals(cat)).toBe(true)
  })

  it.each([
    ['other characters', '!!!', 'is not base64: character 1 is "!"'],
    ['percent encoding', `${text.slice(0, 99)}%2B${text.slice(102)}`, 'is not base64: character 100 is "%"'],
    ['JSON', `"${text}"`, 'is not base64: character 1 is "\\""'],
    ['padding that is too much', `${text}=`, 'is not'],
    ['padding inside', `AA==${text}`, 'is not base64: character 3 is "="'],
    ['a letter too few', 'AAAAA', 'is incomplete base64: it has 5 characters'],
    [
      'a data: URL in percent encoding',
      'data:image/svg+xml,%3Csvg/%3E',
      'is a data: URL that is not in base64',
    ],
    ['a data: URL without its data', 'data:image/jpeg;base64', 'is not base64: character 5 is ":"'],
    ['a URL', 'https://example.com/cat.jpg', 'is a URL, which is not fetched'],
    ['a path', 'photos/cat.jpg', 'is not base64: character 11 is "."'],
    ['doubtful spaces', `${'A'.repeat(76)} ${'A'.repeat(7)}`, 'has spaces of which it cannot be told'],
  ])('is not decoded from %s', (_, given, reason) => {
    expect(() => imageBytes(given)).toThrow(
      expect.objectContaining({
        code: 'bad_parameter',
        message: expect.stringContaining(`The image ${reason}`),
        hint: expect.stringContaining('base64'),
      }),
    )
  })

  /** Starts like a JPEG: no image format starts with the byte that a leading `+` decodes to. */
  const bytes = fc.uint8Array({ maxLength: 400 }).map((rest) => Buffer.from([0xff, ...rest]))

  it('is decoded exactly, or not at all', () => {
    const changes: ((base64: string) => string)[] = [
      (base64) => base64,
      unpadded,
      formEncoded,
      (base64) => formEncoded(unpadded(base64)),
      (base64) => wrapped(base64, 76, '\n'),
      (base64) => wrapped(base64, 76, '\r\n'),
      (base64) => wrapped(base64, 64, ' '),
      (base64) => wrapped(unpadded(base64), 76, ' '),
      (base64) => formEncoded(wrapped(base64, 76, '\n')),
      (base64) => base64.replaceAll('+', '-').replaceAll('/', '_'),
      (base64) => ` ${base64}  `,
      (base64) => `data:image/png;base64,${base64}`,
      (base64) => formEncoded(`data:image/png;base64,${base64}`),
    ]
    fc.assert(
      fc.property(bytes, fc.constantFrom(...changes), (sent, change) => {
        const read = bytesOf(change(sent.toString('base64')))
        // Faster than `toEqual`.
        expect(read?.equals(sent) ?? true).toBe(true)
      }),
      { numRuns: 5000 },
    )
  })

  it('is decoded with padding, line breaks and form encoding anywhere', () => {
    const changes = [formEncoded, (base64: string) => formEncoded(`data:image/png;base64,${base64}`)]
    fc.assert(
      fc.property(bytes, fc.constantFrom(...changes), (sent, change) => {
        fc.pre(sent.length % 3 !== 0)
        expect(bytesOf(change(sent.toString('base64')))?.equals(sent)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  it('is refused with an invalid letter', () => {
    const others = fc.constantFrom('!', '%', '.', ':', '"', '\\', '\0', 'é', '😀', '\u00a0')
    fc.assert(
      fc.property(bytes, fc.nat(), others, (sent, at, letter) => {
        const base64 = sent.toString('base64')
        const place = at % base64.length
        expect(bytesOf(base64.slice(0, place) + letter + base64.slice(place + 1))).toBeUndefined()
      }),
    )
  })
})
