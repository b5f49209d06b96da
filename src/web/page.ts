import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { WebResponse } from '../openwhisk/web'
import { homeFolder } from '../paths'
import { hashOf } from './hash-of'

/** A lens with whiskers. */
const shape = `<path d="${[
  'M16.5 16.5 21 21M18 11a7 7 0 1 1-14 0 7 7 0 0 1 14 0z',
  'M8 10.2v.1M14 10.2v.1M10 13l1 .8 1-.8M.8 11.5l4.6.4M1.2 15.5l4.6-1.7M21.2 11.5l-4.6.4',
].join('')}"/>`
const favicon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#0f8f80" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round">${shape}</svg>`

/** Path of a file of the gallery bundle: beside the action's bundle, else in the build folder. */
function bundled(name: string): string {
  const beside = join(__dirname, name)
  return readFileSync(existsSync(beside) ? beside : join(homeFolder(), 'dist', name), 'utf8')
}

interface Page {
  html: string
  scriptHash: string
  styleHash: string
}

function makePage(): Page {
  const [script, style] = [bundled('gallery.js'), bundled('gallery.css')]
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>Whisklens</title>
<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(favicon)}">
<style>${style}</style>
</head>
<body>
<noscript>This page needs JavaScript. <code>whisklens results</code> shows the same on the command line.</noscript>
<script type="module">${script}</script>
</body>
</html>
`
  return { html, scriptHash: hashOf(script), styleHash: hashOf(style) }
}

let page: Page | undefined

/** Keys and labels are untrusted: the page may run and load only its own code. */
const policy = ({ scriptHash, styleHash }: Page, store = ''): string =>
  [
    `default-src 'none'`,
    `script-src ${scriptHash}`,
    `style-src ${styleHash}`,
    `img-src 'self' data: blob: ${store}`.trimEnd(),
    `connect-src 'self' ${store}`.trimEnd(),
    `base-uri 'none'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
    `require-trusted-types-for 'script'`,
    `trusted-types 'none'`,
  ].join('; ')

/**
 * The gallery page. It is the same for every request; its script requests all data.
 * @param store origin of presigned URLs; undefined if the request is refused
 */
export function galleryPage(store?: string): WebResponse {
  page ??= makePage()
  return {
    statusCode: 200,
    headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy(page, store) },
    body: page.html,
  }
}
