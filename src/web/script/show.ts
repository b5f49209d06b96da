/** Brings the page in line with what is known. */
export const show = `
/** Set only when it changes: assistive technology reads a status out whenever it is set. */
function setText(id, text) {
  if (byId(id).textContent !== text) byId(id).textContent = text
}

function showNotice(text) {
  setText('notice', text)
  byId('notice').hidden = !text
}

function showLive() {
  const [kind, text] = view.failed
    ? ['stopped', 'Not up to date']
    : isOpen()
      ? ['running', 'Live']
      : ['complete', 'Up to date']
  byId('live-dot').className = 'dot ' + kind
  setText('live', text)
}

function emptyText() {
  if (isFiltered()) return 'No image matches the filter.'
  if (isOpen()) return 'The first results are on their way.'
  return view.summary.state === 'complete'
    ? 'Nothing to show: all images were unchanged since an earlier batch.'
    : 'Nothing to show: the batch ended before any image was classified.'
}

function showCount() {
  const { ok, error } = view.summary.totals
  const images = shown.size === 1 ? ' image' : ' images'
  const whole = isFiltered()
    ? ' matching' + images + (view.next ? ', and there are more' : '')
    : ' of ' + count(ok + error) + ' images'
  setText('count', 'Showing ' + count(shown.size) + whole)
  byId('count').hidden = byId('cards').hidden = shown.size === 0
  byId('none').hidden = shown.size > 0
  setText('none', emptyText())
  byId('more').hidden = !view.next
}

function showDownloads() {
  for (const format of ['jsonl', 'csv']) byId(format).href = urlOf({ ...chosen, format }).href
}

function showFilter() {
  const fields = byId('filter').elements
  for (const name of filterNames) {
    // Spaces that are being typed stay.
    if (fields[name].value.trim() !== chosen[name]) fields[name].value = chosen[name]
  }
  if (chosen.takenSince || chosen.takenUntil || chosen.camera) byId('photo').open = true
}

function showList() {
  showBatches(byId('batches'), view.batches, chosen.batch, select)
}

function showSummary(summary) {
  view.summary = summary
  view.batches = view.batches.map((known) => (known.batch === summary.batch ? summary : known))
  showOverview(summary, filterBy)
  byId('images').hidden = false
  document.title = summary.batch + ' · Whisklens'
}

function setStale(isStale) {
  view.isStale = isStale
  byId('main').setAttribute('aria-busy', String(isStale))
}
`
