/** What is chosen and known, and how the action is asked. */
export const state = `
const pageSize = 60
/** A refresh asks again for what is shown, up to so many images; what is further down is settled as a rule. */
const mostRefreshed = 240
/** Milliseconds between refreshes: longer and longer while nothing changes, for each is an activation. */
const pauses = { least: 2000, most: 15000, afterErrors: 30000 }

const token = new URLSearchParams(location.search).get('token') ?? ''
const chosen = { batch: '', label: '', status: '', takenSince: '', takenUntil: '', camera: '' }
const filterNames = Object.keys(chosen).filter((name) => name !== 'batch')
const isFiltered = () => filterNames.some((name) => chosen[name])
const view = {
  batches: [],
  summary: undefined,
  /** What people are to know of all that is shown. */
  notice: '',
  next: undefined,
  /** What is shown is of an earlier choice. */
  isStale: true,
  /** The last answer as text: the page is touched only when it changes. */
  seen: '',
  pause: pauses.least,
  failed: false,
  /** Asking again would not help. */
  isFinal: false,
  /** Aborted when something else is chosen. */
  asking: new AbortController(),
}
const grid = byId('cards')

const isOpen = () => !view.summary || ['planning', 'running'].includes(view.summary.state)

function urlOf(query) {
  const url = new URL(location.pathname, location.origin)
  for (const [name, value] of Object.entries({ token, ...query }))
    if (value) url.searchParams.set(name, value)
  return url
}

async function ask(query, signal) {
  const response = await fetch(urlOf({ format: 'json', ...query }), { cache: 'no-store', signal })
  const body = await response.json().catch(() => ({}))
  if (response.ok) return body
  // The platform's own errors are text, ours are objects.
  const error = new Error(body.error?.message ?? body.error ?? 'The server answered ' + response.status)
  throw Object.assign(error, { isFinal: response.status === 401 })
}

/** Asks for so many records. An answer ends early where much was looked through: then the next one is asked for, too. */
async function askRecords({ limit, after }, signal) {
  const records = []
  for (;;) {
    const query = { ...chosen, urls: 'true', limit: limit - records.length, after }
    const { summary, records: more, next, notice } = await ask(query, signal)
    records.push(...more)
    if (!next || records.length >= limit) return { summary, records, next, notice }
    after = next
  }
}

/** Keeps the choice in the address, so that it can be passed on and gone back to. */
function remember(how) {
  const { pathname, search } = urlOf(chosen)
  if (pathname + search !== location.pathname + location.search) history[how](null, '', pathname + search)
}
`
