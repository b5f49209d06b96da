/** What happens when: loading, refreshing while a batch is under way, and what people do. */
export const gallery = `
async function loadBatches(signal) {
  const { batches, notice } = await ask({}, signal)
  view.notice = notice?.message ?? ''
  if (JSON.stringify(batches) === JSON.stringify(view.batches)) return
  view.batches = batches
  if (!chosen.batch && batches[0]) {
    chosen.batch = batches[0].batch
    remember('replaceState')
    showDownloads()
  }
  showList()
}

/** Shows the chosen batch as it is now; cards that are there stay, and so does what is open or focused. */
async function loadRecords(signal) {
  const limit = view.isStale ? pageSize : Math.min(mostRefreshed, Math.max(pageSize, shown.size))
  const { summary, records, next, notice } = await askRecords({ limit }, signal)
  view.notice = notice?.message ?? ''
  const seen = JSON.stringify([summary, records.map(versionOf)])
  if (seen === view.seen) return false
  const rest = placeCards(grid, records, grid.firstElementChild)
  if (view.isStale) dropCards(rest)
  // Cards beyond what was asked for: the next page is still the one after them.
  view.next = rest && !view.isStale ? (view.next ?? next) : next
  view.seen = seen
  setStale(false)
  const stateBefore = view.summary?.state
  showSummary(summary)
  showCount()
  showList()
  if (stateBefore && stateBefore !== summary.state) await loadBatches(signal)
  return true
}

async function loadMore() {
  const more = byId('more')
  if (view.isStale || more.getAttribute('aria-disabled')) return
  more.setAttribute('aria-disabled', 'true')
  try {
    const { summary, records, next } = await askRecords(
      { limit: pageSize, after: view.next },
      view.asking.signal,
    )
    const last = grid.lastElementChild
    placeCards(grid, records, null)
    view.next = next
    const isFocused = document.activeElement === more
    showSummary(summary)
    showCount()
    // The button goes when all is shown: the focus goes to the first new image.
    if (isFocused && more.hidden) last?.nextElementSibling?.querySelector('a, summary')?.focus()
  } catch (thrown) {
    if (thrown.name !== 'AbortError') showNotice('Could not load more: ' + thrown.message)
  } finally {
    more.removeAttribute('aria-disabled')
  }
}

let timer
let refreshing
let rounds = 0

function schedule() {
  clearTimeout(timer)
  if (!document.hidden && !view.isFinal && (isOpen() || view.failed)) timer = setTimeout(refresh, view.pause)
}

/** The list of batches is asked for less often: each answer is an activation. */
async function refresh(withList = !chosen.batch || ++rounds % 8 === 0) {
  const { signal } = view.asking
  if (refreshing === signal) return
  refreshing = signal
  try {
    if (withList) await loadBatches(signal)
    const isNew = chosen.batch !== '' && (await loadRecords(signal))
    view.pause = isNew ? pauses.least : Math.min(pauses.most, view.pause * 1.5)
    view.failed = view.isFinal = false
    showNotice(view.notice)
  } catch (thrown) {
    if (!signal.aborted) failed(thrown)
  } finally {
    if (refreshing === signal) refreshing = undefined
  }
  if (signal.aborted) return
  showLive()
  byId('no-batches').hidden = view.failed || view.batches.length > 0 || chosen.batch !== ''
  schedule()
}

function failed({ message, isFinal }) {
  Object.assign(view, { failed: true, isFinal, pause: Math.min(pauses.afterErrors, view.pause * 2) })
  const again = isFinal ? '' : ' – trying again in ' + Math.round(view.pause / 1000) + ' s'
  showNotice('Could not load the results: ' + message + again)
  if (view.isStale) byId('overview').hidden = byId('images').hidden = true
}

/** Starts over with what is chosen now; answers that are still to come for anything else are dropped. */
function restart(withList) {
  view.asking.abort()
  Object.assign(view, { asking: new AbortController(), seen: '', pause: pauses.least })
  setStale(true)
  showDownloads()
  refresh(withList)
}

function select(batch) {
  chosen.batch = batch
  view.summary = undefined
  remember('pushState')
  showList()
  restart(false)
}

function filterBy(filter) {
  Object.assign(chosen, filter)
  remember('replaceState')
  showFilter()
  restart(false)
}

function readLocation() {
  const query = new URLSearchParams(location.search)
  for (const name of Object.keys(chosen)) chosen[name] = query.get(name) ?? ''
  view.summary = undefined
  showFilter()
  restart(true)
}

let typing
byId('filter').addEventListener('input', () => {
  const fields = byId('filter').elements
  const typed = Object.fromEntries(filterNames.map((name) => [name, fields[name].value.trim()]))
  clearTimeout(typing)
  typing = setTimeout(() => filterBy(typed), 250)
})
byId('filter').addEventListener('submit', (event) => event.preventDefault())
byId('more').addEventListener('click', loadMore)
byId('refresh').addEventListener('click', () => refresh(true))
addEventListener('popstate', readLocation)
document.addEventListener('visibilitychange', () => {
  clearTimeout(timer)
  view.pause = pauses.least
  if (!document.hidden) refresh(true)
})
readLocation()
`
