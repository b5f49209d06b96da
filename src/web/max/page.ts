import type { ModelDescription } from '../../model-folder/description'
import type { WebResponse } from '../../openwhisk/web'
import { hashOf } from '../hash-of'

const style = `
:root { color-scheme: light dark; --accent: #0f8f80 }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem; margin: 0 }
label { display: block; border: 2px dashed var(--accent); border-radius: 8px; padding: 1.5rem; margin: 1.5rem 0 }
figure { position: relative; width: fit-content; margin: 0 }
img { display: block; max-width: 100%; max-height: 20rem; border-radius: 8px }
figure span { position: absolute; outline: 2px solid var(--accent); font-size: .75rem; color: #fff }
figure span { text-shadow: 0 0 3px #000; padding: 0 .25rem; box-sizing: border-box; overflow: hidden }
table { width: 100%; margin: 1rem 0; border-collapse: collapse }
td { padding: .25rem 0 }
td:nth-child(2) { width: 60%; padding: 0 1rem }
td:last-child { text-align: right; font-variant-numeric: tabular-nums }
progress { width: 100%; accent-color: var(--accent) }
`

// The browser shrinks photos over the platform's limit (413); one that it cannot decode is sent unchanged.
const script = `
const input = document.querySelector('input')
const note = document.querySelector('[role=status]')
const rows = document.querySelector('tbody')
const preview = document.querySelector('img')

async function shrink(file) {
  if (file.size < 1e6) return file
  const bitmap = await createImageBitmap(file)
  const scale = Math.min(1, 1024 / Math.max(bitmap.width, bitmap.height))
  const canvas = new OffscreenCanvas(Math.ceil(bitmap.width * scale), Math.ceil(bitmap.height * scale))
  canvas.getContext('2d').drawImage(bitmap, 0, 0, canvas.width, canvas.height)
  return canvas.convertToBlob({ type: 'image/jpeg', quality: 0.92 })
}

function addRow(label, probability, text = (probability * 100).toFixed(1) + ' %') {
  const row = rows.insertRow()
  row.insertCell().textContent = label
  const cell = row.insertCell()
  if (probability !== undefined) cell.append(Object.assign(document.createElement('progress'), { value: probability }))
  row.insertCell().textContent = text
}

function outline(name, [top, left, bottom, right]) {
  const span = document.createElement('span')
  const sides = { top, left, height: bottom - top, width: right - left }
  for (const [side, share] of Object.entries(sides)) span.style[side] = share * 100 + '%'
  span.textContent = name
  preview.parentElement.append(span)
}

function show({ label, probability, detection_box, emotion_predictions = [], age_estimation }, index) {
  const name = label ?? 'face ' + (index + 1)
  if (detection_box) outline(name, detection_box)
  if (probability !== undefined) addRow(name, probability)
  for (const emotion of emotion_predictions.slice(0, 3)) addRow(name + ': ' + emotion.label, emotion.probability)
  if (age_estimation !== undefined) addRow(name, undefined, age_estimation + ' years')
}

input.addEventListener('change', async () => {
  const [file] = input.files
  if (!file) return
  URL.revokeObjectURL(preview.src)
  preview.src = URL.createObjectURL(file)
  preview.hidden = false
  preview.parentElement.replaceChildren(preview)
  rows.replaceChildren()
  note.textContent = 'Looking …'
  input.disabled = true
  const form = new FormData()
  form.append('image', await shrink(file).catch(() => file), file.name)
  try {
    const response = await fetch(location.pathname + location.search, { method: 'POST', body: form })
    const answer = await response.json().catch(() => ({}))
    note.textContent = response.ok ? '' : answer.message ?? answer.error ?? 'HTTP status ' + response.status
    const predictions = answer.predictions ?? []
    predictions.forEach(show)
    if (response.ok && predictions.length === 0) note.textContent = 'No objects found.'
  } catch (error) {
    note.textContent = error.message
  }
  input.disabled = false
})
`

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => escapes[character] ?? '')

const document = ({ id, description, license }: ModelDescription): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(id)}</title>
<style>${style}</style>
</head>
<body>
<h1>${escaped(id)}</h1>
<p>${escaped(description)} (${escaped(license)})</p>
<label>Image (JPEG, PNG or another format) <input type="file" accept="image/*"></label>
<figure><img alt="The image to classify" hidden></figure>
<p role="status"></p>
<table aria-label="Predictions"><tbody></tbody></table>
<p>In scripts: <code>curl -F image=@cat.jpg</code> and this page's address.</p>
<script type="module">${script}</script>
</body>
</html>
`

/** The page may run its own script, show the chosen file and call its own origin; nothing else. */
const policy = [
  "default-src 'none'",
  `script-src ${hashOf(script)}`,
  `style-src ${hashOf(style)}`,
  'img-src blob:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

/** A page to try a model in the browser. */
export const tryItPage = (model: ModelDescription): WebResponse => ({
  statusCode: 200,
  headers: {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy,
    // The URL may contain the token.
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  },
  body: document(model),
})
