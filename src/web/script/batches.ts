/** The list of batches. */
export const batches = `
const stateNames = {
  planning: 'Planning',
  running: 'Running',
  complete: 'Complete',
  cancelled: 'Cancelled',
  stopped: 'Stopped',
}
const stateName = (state) => (Object.hasOwn(stateNames, state) ? stateNames[state] : state)

// States are names of classes too; anything else must not become one.
const stateClass = (state) => (Object.hasOwn(stateNames, state) ? state : '')

function countsOf({ totals, state }) {
  const done = count(totals.ok + totals.error)
  const images = state === 'complete' ? done + ' images' : done + ' of ' + count(totals.planned)
  return (
    images + (totals.error ? ' · ' + count(totals.error) + (totals.error === 1 ? ' error' : ' errors') : '')
  )
}

function batchButton(summary, selected, select) {
  const button = make(
    'button',
    { type: 'button', class: 'batch' },
    make('span', { class: 'dot ' + stateClass(summary.state), 'aria-hidden': 'true' }),
    make('span', { class: 'name', title: summary.batch }, summary.batch),
    make(
      'span',
      { class: 'counts number' },
      make('span', { class: 'hidden-text' }, stateName(summary.state) + ', '),
      countsOf(summary),
    ),
  )
  if (selected) button.setAttribute('aria-current', 'true')
  button.addEventListener('click', () => select(summary.batch))
  return make('li', { 'data-batch': summary.batch }, button)
}

function showBatches(list, batches, selected, select) {
  // Whoever walks the list by keyboard stays where they are.
  const focused = list.contains(document.activeElement)
    ? document.activeElement.closest('li').dataset.batch
    : undefined
  list.replaceChildren(...batches.map((summary) => batchButton(summary, summary.batch === selected, select)))
  const current = list.querySelector('[aria-current]')?.parentElement
  if (current && list.dataset.selected !== selected) {
    list.scrollTo(current.offsetLeft - 40, current.offsetTop - 40)
    list.dataset.selected = selected
  }
  if (focused === undefined) return
  for (const item of list.children) if (item.dataset.batch === focused) item.firstElementChild.focus()
}
`
