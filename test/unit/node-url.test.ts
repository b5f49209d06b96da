import * as url from 'node:url'
import fc from 'fast-check'
import * as ours from '../../src/node-url'

/** The fields of `url.parse` that libraries use. */
const read = ({ slashes: _, query: __, ...parts }: Partial<url.UrlWithStringQuery>, isPath: boolean) =>
  isPath
    ? { pathname: parts.pathname, search: parts.search, path: parts.path, href: parts.href }
    : { ...parts }

const word = fc.stringMatching(/^[A-Za-z0-9._~!$()*+,=:@-]{1,12}$/)
const part = fc.oneof(word, fc.constantFrom('.', '..', '', '%2F', '%27', '%20'))
const path = fc.array(part).map((parts) => `/b/${parts.join('/')}`)
const query = fc.oneof(
  fc.constant(''),
  fc.constant('?'),
  word.map((text) => `?${text}&a?=b`),
)
const plain = fc
  .array(fc.stringMatching(/^[A-Za-z0-9_~%]{1,9}$/).map(encodeURIComponent))
  .map((parts) => `/${parts.join('/')}`)
const host = fc.constantFrom(
  's3.example.com',
  '127.0.0.1:9000',
  '[::1]:9000',
  'S3.Example.com:8443',
  'user:p%40ss@host',
  'user@host',
)

describe('parse, for libraries', () => {
  it('splits a path like url.parse, including dots', () => {
    fc.assert(
      fc.property(path, query, (before, after) => {
        expect(read(ours.parse(before + after), true)).toEqual(read(url.parse(before + after), true))
      }),
    )
  })

  it('splits a URL like url.parse', () => {
    fc.assert(
      fc.property(fc.constantFrom('http', 'https'), host, plain, (scheme, at, path) => {
        for (const text of [`${scheme}://${at}${path}?x=y#z`, `${scheme}://${at}`])
          expect(read(ours.parse(text), false)).toEqual(read(url.parse(text), false))
      }),
    )
  })

  it('treats anything else as a path, like url.parse', () => {
    for (const text of ['no-url', 'a/b?c#d', '/a#b?c', '/a/../b?c#'])
      expect(read(ours.parse(text), true)).toEqual(read(url.parse(text), true))
  })

  it('is exported with the rest of the module', () => {
    expect(Object.keys(ours).sort()).toEqual(
      expect.arrayContaining(['format', 'resolve', 'URL', 'fileURLToPath']),
    )
  })
})
