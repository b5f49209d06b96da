import type { UrlWithStringQuery } from 'node:url'

export * from 'node:url'

/*
 * Replaces `url` in the bundles with a `parse` that causes no deprecation warning on Node.js 24. The S3 SDK and the
 * OpenWhisk client's HTTP client call it.
 */

/** Parses a URL or request path into the fields of `url.parse`. */
export function parse(text: string): Partial<UrlWithStringQuery> {
  if (text.startsWith('/') || !URL.canParse(text)) {
    // Paths are kept verbatim: `new URL` would resolve dot segments, which keys may contain.
    const [, pathname = '', search = '', hash = ''] = /^([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(text) ?? []
    return { pathname, search: search || null, hash: hash || null, path: pathname + search, href: text }
  }
  const { protocol, host, hostname, port, pathname, search, hash, href, username, password } = new URL(text)
  return {
    protocol,
    auth: username ? decodeURIComponent(password ? `${username}:${password}` : username) : null,
    host,
    // Sockets take IPv6 addresses without brackets.
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port: port || null,
    pathname,
    search: search || null,
    path: pathname + search,
    hash: hash || null,
    href,
  }
}
