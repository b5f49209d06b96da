import type { Problem } from '../data/gallery'
import { useGallery } from './context'
import { Chips } from './filters/chips'
import { Search, SortChoice } from './filters/search'
import { Grid } from './grid/grid'
import { Announcer } from './parts/announcer'
import { ProblemText } from './parts/message'
import { Export, SelectionBar } from './selection'
import { EmptyBatch, Failed, NoMatch, Skeleton } from './states'
import { text } from './strings'

/** A loading error, with a button to retry. */
const LoadError = ({ problem, retry }: { problem: Problem; retry(): void }) => (
  <div class="notice" role="alert">
    {problem.code === 'unauthorized' ? <p>{text.states.refusedHint}</p> : <ProblemText problem={problem} />}
    <button type="button" class="button" onClick={retry}>
      {text.tryAgain}
    </button>
  </div>
)

/** Warnings about the data. */
function Notices() {
  const { batch, batches, rows, result } = useGallery()
  const isReady = batch.state.value.is === 'ready'
  const stale = isReady ? batch.live.value.problem : undefined
  const missing = rows.problem.value
  const loaded = batch.loaded.value
  return (
    <>
      {batch.notices.value.map(({ code, message, hint }) => (
        <div key={code} class="notice" role="alert">
          <ProblemText problem={{ code, message, hint }} />
        </div>
      ))}
      {stale && <LoadError problem={stale} retry={() => batches.reload()} />}
      {missing && missing.code !== stale?.code && <LoadError problem={missing} retry={() => rows.retry()} />}
      {batch.isPartial.value && <p class="notice">{text.grid.partial(result.value.total)}</p>}
      {isReady && loaded < 1 && <p class="small muted">{text.grid.indexing(loaded)}</p>}
    </>
  )
}

function Pictures() {
  const { batch, batches, result } = useGallery()
  const state = batch.state.value
  if (state.is === 'loading') return <Skeleton />
  if (state.is === 'empty') return <EmptyBatch />
  if ('problem' in state) return <Failed state={state} retry={() => batches.reload()} />
  return result.value.rows.length === 0 ? <NoMatch /> : <Grid />
}

/** The search and the grid. */
export function Images({ tools }: { tools?: preact.ComponentChildren }) {
  const { result, batch } = useGallery()
  const { rows, total } = result.value
  const isReady = batch.state.value.is === 'ready'
  const says = isReady ? text.grid.shown(rows.length, total) : ''
  return (
    <section id="images" class="images" aria-labelledby="images-title" tabIndex={-1}>
      <h2 id="images-title" class="hidden-text">
        {text.grid.title}
      </h2>
      <div class="toolbar">
        <div class="toolbar-row">
          {tools}
          <Search />
          <SortChoice />
          <p class="number count" id="count">
            {says}
          </p>
          {isReady && rows.length > 0 && <Export what="shown" number={rows.length} />}
        </div>
        <Chips />
      </div>
      <Notices />
      <Pictures />
      <SelectionBar />
      <Announcer message={says} />
    </section>
  )
}
