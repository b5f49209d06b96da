/** One card for each image: its labels, or what went wrong. */
export const cards = `
const pathOf = {
  warning: 'M12 4 2.8 20h18.4L12 4zm0 6v4.5m0 2.8v.1',
  missing: 'M4 4l16 16M9 5h10a1 1 0 0 1 1 1v10M4 7v11a1 1 0 0 0 1 1h12M4 16l4-4 5 5',
}

function thumbnail(record) {
  const link = make('a', { class: 'thumb', target: '_blank', rel: 'noopener noreferrer' })
  if (!record.url) return link
  link.setAttribute('href', record.url)
  const image = make('img', { loading: 'lazy', decoding: 'async', alt: record.key })
  image.addEventListener('error', () => {
    image.remove()
    link.append(icon(pathOf.missing), make('span', { class: 'hidden-text' }, 'No preview of ' + record.key))
  })
  image.setAttribute('src', record.url)
  link.append(image)
  return link
}

function labelRow(label) {
  return make(
    'li',
    {},
    make('span', { dir: 'auto', title: label.className }, label.label),
    make('span', { class: 'number muted' }, percent(label.probability)),
    bar(label.probability),
  )
}

function aboutImage(record) {
  const { width, height, format, size, exif, timings } = record
  const facts = [
    width && height ? width + ' × ' + height : '',
    format ? format.toUpperCase() : '',
    size ? bytes(size) : '',
    // By the camera's clock, wherever that was.
    exif?.takenAt ? 'taken ' + date(exif.takenAt.slice(0, 19)) : '',
    exif?.camera ?? '',
    timings.infer ? 'classified in ' + Math.round(timings.infer) + ' ms' : '',
  ]
  return make('p', { class: 'about small muted' }, facts.filter(Boolean).join(' · '))
}

function okCard(record) {
  const top = record.labels[0] ?? { label: 'no label', className: '', probability: 0 }
  const summary = make(
    'summary',
    {},
    make('span', { class: 'label', dir: 'auto' }, top.label),
    make('span', { class: 'share number' }, percent(top.probability)),
    bar(top.probability),
  )
  const others = make('ol', { class: 'labels', 'aria-label': 'Labels' }, ...record.labels.map(labelRow))
  return [thumbnail(record), make('details', {}, summary, others, aboutImage(record))]
}

function errorCard({ error }) {
  const { code, message, attempts } = error ?? {
    code: 'internal',
    message: 'Nothing is known of the error',
    attempts: 1,
  }
  const summary = make(
    'summary',
    {},
    make('span', { class: 'label' }, make('span', { class: 'hidden-text' }, 'Error: '), code),
    make('span', { class: 'share' }),
    make('span', { class: 'track', 'aria-hidden': 'true' }),
  )
  const tries = attempts > 1 ? ' (tried ' + attempts + ' times)' : ''
  return [
    make(
      'div',
      { class: 'thumb failed' },
      icon(pathOf.warning),
      make('p', { class: 'brief', dir: 'auto' }, message),
    ),
    make('details', {}, summary, make('p', { class: 'message', dir: 'auto' }, message + tries)),
  ]
}

function makeCard(record) {
  const body = record.status === 'ok' ? okCard(record) : errorCard(record)
  return make(
    'li',
    { class: 'card ' + (record.status === 'ok' ? 'ok' : 'error') },
    ...body,
    make('p', { class: 'key', dir: 'auto', title: record.key }, record.key),
  )
}

// Every answer signs an image's URL anew: a card stays while its record is the same, or images would flicker.
const versionOf = ({ url, ...record }) => JSON.stringify(record)

/** The cards that are shown, by image. */
const shown = new Map()

/** Puts the records' cards into the grid in order, from the card "at" on. @returns the card after the last one */
function placeCards(grid, records, at) {
  for (const record of records) {
    const id = record.bucket + '/' + record.key
    const version = versionOf(record)
    const known = shown.get(id)
    const element = known?.version === version ? known.element : makeCard(record)
    if (known && known.element !== element) {
      if (known.element === at) at = element
      known.element.replaceWith(element)
    }
    shown.set(id, { version, element })
    if (element === at) at = at.nextElementSibling
    else grid.insertBefore(element, at)
  }
  return at
}

/** Takes the cards from "at" on away: they are of something else. */
function dropCards(at) {
  while (at) {
    const next = at.nextElementSibling
    at.remove()
    at = next
  }
  for (const [id, { element }] of shown) if (!element.isConnected) shown.delete(id)
}
`
