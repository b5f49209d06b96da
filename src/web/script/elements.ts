/** How elements, numbers and times are made. */
export const elements = `
const byId = (id) => document.getElementById(id)

function make(name, attributes, ...children) {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  element.append(...children)
  return element
}

// Shapes of the page's own; a path is data of ours, never of an image.
function icon(path) {
  const shape = document.createElementNS('http://www.w3.org/2000/svg', 'path')
  shape.setAttribute('d', path)
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  for (const [key, value] of Object.entries({
    viewBox: '0 0 24 24',
    fill: 'none',
    stroke: 'currentColor',
    'stroke-width': '1.7',
    'stroke-linecap': 'round',
    'stroke-linejoin': 'round',
    'aria-hidden': 'true',
  }))
    svg.setAttribute(key, value)
  svg.append(shape)
  return svg
}

// Set through the object model: the page's policy forbids style attributes.
function bar(share) {
  const fill = make('span', { class: 'fill' })
  fill.style.width = Math.round(Math.min(1, Math.max(0, share)) * 1000) / 10 + '%'
  return make('span', { class: 'track', 'aria-hidden': 'true' }, fill)
}

const numberFormat = new Intl.NumberFormat()
const count = (value) => numberFormat.format(value)
const percent = (share) => (share >= 0.9995 ? '100' : (share * 100).toFixed(share < 0.0995 ? 1 : 0)) + ' %'
const dateFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
const date = (text) => {
  const time = new Date(text)
  return Number.isNaN(time.getTime()) ? text : dateFormat.format(time)
}

function duration(from, to) {
  const seconds = Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1000))
  if (seconds < 60) return seconds + ' s'
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return minutes + ' min' + (seconds % 60 ? ' ' + (seconds % 60) + ' s' : '')
  return Math.floor(minutes / 60) + ' h ' + (minutes % 60) + ' min'
}

const bytes = (size) =>
  size < 1e6 ? Math.max(1, Math.round(size / 1e3)) + ' kB' : (size / 1e6).toFixed(1) + ' MB'
`
