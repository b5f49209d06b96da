import * as url from 'node:url'

export * from 'node:url'

/*
 * What libraries get in the bundles when they require `url`: with a `parse` of which Node.js 24 does not warn. The SDK of
 * the object store and the HTTP client of the OpenWhisk client call it for every process.
 */

/** The parts of a URL or of a request's path, named as those of `url.parse`. */
export function parse(text: string): Partial<url.UrlWithStringQuery> {
  if (text.startsWith('/') && !text.includes('#')) {
    // A path stays as it is: `new URL` would resolve the dots that a key may have.
    const [pathname = '', ...query] = text.split(/(?=\?)/)
    return { pathname, search: query.join('') || null, path: text, href: text }
  }
  if (!URL.canParse(text)) return url.parse(text)
  const { protocol, host, hostname, port, pathname, search, hash, href, username, password } = new URL(text)
  return {
    protocol,
    auth: username ? decodeURIComponent(password ? `${username}:${password}` : username) : null,
    host,
    // As sockets take IPv6: without brackets.
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port: port || null,
    pathname,
    search: search || null,
    path: pathname + search,
    hash: hash || null,
    href,
  }
}
