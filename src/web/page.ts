import type { WebResponse } from '../openwhisk/web'
import { hashOf } from './hash-of'
import { script } from './script'
import { style } from './style'

/** A lens with whiskers. */
const shape = `<path d="${[
  'M16.5 16.5 21 21M18 11a7 7 0 1 1-14 0 7 7 0 0 1 14 0z',
  'M8 10.2v.1M14 10.2v.1M10 13l1 .8 1-.8M.8 11.5l4.6.4M1.2 15.5l4.6-1.7M21.2 11.5l-4.6.4',
].join('')}"/>`
const drawing =
  'viewBox="0 0 24 24" fill="none" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"'
const logo = `<svg ${drawing} stroke="currentColor" aria-hidden="true">${shape}</svg>`
const favicon = `<svg xmlns="http://www.w3.org/2000/svg" ${drawing} stroke="#0f8f80">${shape}</svg>`

/** One of the ways to filter by status. */
const segment = (value: string, name: string): string =>
  `<label><input type="radio" name="status" value="${value}"${value ? '' : ' checked'}><span>${name}</span></label>`

/** What is most frequent, by name: a title, rows, and a button for those that are hidden at first. */
const table = (id: string, title: string, kind: string): string =>
  `<section class="${kind}" id="${id}" aria-labelledby="${id}-title" hidden>
<h3 id="${id}-title">${title}</h3><ol></ol><button class="quiet" type="button" aria-expanded="false"></button>
</section>`

/** The same for every request: all data is asked for by the script. */
export const document = `<!doctype html>
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
<a class="skip" href="#images">Skip to the images</a>
<header class="top">
${logo}<h1>Whisklens</h1>
<p class="live"><span class="dot" id="live-dot" aria-hidden="true"></span><span id="live" role="status">Loading</span></p>
</header>
<div class="layout">
<nav class="batches" aria-labelledby="batches-title">
<header><h2 id="batches-title">Batches</h2><button class="quiet" type="button" id="refresh">Refresh</button></header>
<ol id="batches"></ol>
</nav>
<main id="main">
<p class="notice" id="notice" role="alert" hidden></p>
<div class="panel empty" id="no-batches" hidden>
<p>There is no batch yet. Upload images to the watched bucket, or start one:</p>
<code>wsk trigger fire batch-requested -p prefix photos/</code>
</div>
<section class="panel overview" id="overview" aria-labelledby="batch-title" hidden>
<div class="head">
<div>
<div class="title"><h2 id="batch-title"></h2><span class="pill" id="state"></span></div>
<p class="facts small muted" id="facts"></p><p class="small muted" id="medians"></p>
<p class="reason small" id="reason" dir="auto"></p>
</div>
<dl class="totals" id="totals"></dl>
</div>
<div class="progress track" id="progress" role="progressbar" aria-label="Images done" aria-valuemin="0" aria-valuemax="100"
 hidden><span class="fill"></span></div>
<div class="tables">${table('labels', 'Top labels', '')}${table('errors', 'Errors by code', 'bad')}</div>
</section>
<section id="images" aria-labelledby="images-title" tabindex="-1" hidden>
<div class="toolbar">
<h2 id="images-title">Images</h2>
<form id="filter" role="search" autocomplete="off">
<label class="search">
<span class="hidden-text">Label contains, or is a kind of</span>
<input type="search" name="label" placeholder="Label or kind: dog" spellcheck="false">
</label>
<fieldset class="segments">
<legend class="hidden-text">Status</legend>
${segment('', 'All')}${segment('ok', 'Classified')}${segment('error', 'Errors')}
</fieldset>
<details class="photo" id="photo">
<summary>Date and camera</summary>
<div>
<label>Taken from <input type="date" name="takenSince"></label>
<label>until <input type="date" name="takenUntil"></label>
<label>Camera <input type="search" name="camera" placeholder="Canon" spellcheck="false"></label>
</div>
</details>
</form>
<div class="downloads"><a id="jsonl" download>JSON Lines</a><a id="csv" download>CSV</a></div>
</div>
<p class="small muted count" id="count" role="status"></p>
<ul class="grid" id="cards"></ul>
<p class="empty" id="none" hidden></p>
<button class="more" type="button" id="more" hidden>Load more</button>
</section>
</main>
</div>
<script type="module">${script}</script>
</body>
</html>
`

const [scriptHash, styleHash] = [hashOf(script), hashOf(style)]

/** Keys and labels are untrusted: the browser is told to run and load nothing but what is ours. */
const policy = (imageOrigin: string): string =>
  [
    `default-src 'none'`,
    `script-src ${scriptHash}`,
    `style-src ${styleHash}`,
    `img-src 'self' data: ${imageOrigin}`,
    `connect-src 'self'`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
    `require-trusted-types-for 'script'`,
    `trusted-types 'none'`,
  ].join('; ')

/** The page for people. @param imageOrigin where presigned URLs of images point */
export const galleryPage = (imageOrigin: string): WebResponse => ({
  statusCode: 200,
  headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy(imageOrigin) },
  body: document,
})
