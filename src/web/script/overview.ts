/** What is known of the selected batch as a whole. */
export const overview = `
function barRow(name, value, most, choose, hint) {
  const row = make(
    'button',
    { type: 'button', class: 'bar', title: name },
    make('span', { class: 'name', dir: 'auto' }, name),
    bar(value / most),
    make('span', { class: 'number' }, count(value)),
    make('span', { class: 'hidden-text' }, hint),
  )
  row.addEventListener('click', choose)
  return make('li', {}, row)
}

/** So many rows are shown at first; the style sheet hides the others, on small screens a few more. */
const firstRows = 5

function expand(section, all) {
  section.classList.toggle('all', all)
  const button = section.querySelector('.quiet')
  button.setAttribute('aria-expanded', String(all))
  button.textContent = all ? 'Show fewer' : 'Show all ' + count(section.querySelectorAll('li').length)
}

function showRows(section, rows, choose, hint) {
  section.hidden = rows.length === 0
  const most = Math.max(1, ...rows.map(([, value]) => value))
  section
    .querySelector('ol')
    .replaceChildren(...rows.map(([name, value]) => barRow(name, value, most, () => choose(name), hint)))
  section.querySelector('.quiet').hidden = rows.length <= firstRows
  expand(section, section.classList.contains('all') && rows.length > firstRows)
}

for (const section of document.querySelectorAll('.tables section')) {
  section
    .querySelector('.quiet')
    .addEventListener('click', () => expand(section, !section.classList.contains('all')))
}

function total(name, value, kind) {
  return make(
    'div',
    { class: kind ?? '' },
    make('dt', {}, name),
    make('dd', { class: 'number' }, count(value)),
  )
}

const short = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 })

const factsOf = ({ model, engine, startedAt, endedAt, imagesPerSecond, cost }) =>
  [
    model,
    engine,
    'started ' + date(startedAt),
    endedAt && 'took ' + duration(startedAt, endedAt),
    imagesPerSecond && short.format(imagesPerSecond) + ' images/s',
    cost && 'cost ' + short.format(cost),
  ]
    .filter(Boolean)
    .join(' · ')

const ms = (time) => Math.round(time) + ' ms'

function mediansOf({ download, decode, infer }) {
  return infer > 0
    ? 'Median image: ' +
        ms(download) +
        ' to download, ' +
        ms(decode) +
        ' to decode, ' +
        ms(infer) +
        ' to classify'
    : ''
}

function showTotals({ ok, error, pending, skipped, listed }) {
  const tiles = [total('Classified', ok), total('Errors', error, error ? 'bad' : '')]
  if (pending) tiles.push(total('Pending', pending))
  if (skipped) tiles.push(total('Unchanged, skipped', skipped), total('Listed', listed))
  byId('totals').replaceChildren(...tiles)
}

function showOverview(summary, filterBy) {
  const { totals, state } = summary
  byId('batch-title').textContent = summary.batch
  byId('state').textContent = stateName(state) + (state === 'complete' && !summary.exact ? ', not final' : '')
  byId('state').className = 'pill ' + stateClass(state)
  byId('facts').textContent = factsOf(summary)
  byId('medians').textContent = mediansOf(summary.timings.p50)
  byId('reason').textContent = summary.reason ?? ''
  const done = totals.ok + totals.error
  const share = totals.planned ? done / totals.planned : 0
  const progress = byId('progress')
  progress.hidden = state === 'complete' || totals.pending === 0
  progress.setAttribute('aria-valuenow', String(Math.round(share * 100)))
  progress.firstElementChild.style.width = share * 100 + '%'
  showTotals(totals)
  showRows(
    byId('labels'),
    summary.labels.map((row) => [row.label, row.count]),
    (label) => filterBy({ label, status: '' }),
    ' images; show them',
  )
  showRows(
    byId('errors'),
    Object.entries(summary.errors),
    () => filterBy({ label: '', status: 'error' }),
    ' images; show all errors',
  )
  byId('overview').hidden = false
}
`
