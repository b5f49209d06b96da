import type { Problem, State } from '../data/gallery'
import { commands } from './batch/run'
import { useGallery } from './context'
import { focusImages } from './filters/chips'
import { AddPhotos } from './local/uploads'
import { Copyable } from './parts/copyable'
import { Message, ProblemText } from './parts/message'
import { text } from './strings'

const words = text.states

/** An error, with what to do. */
export const Failed = ({ state, retry }: { state: State & { problem: Problem }; retry(): void }) => (
  <div role="alert">
    <Message icon="warning" title={state.is === 'refused' ? words.refused : words.failed}>
      {state.is === 'refused' ? <p>{words.refusedHint}</p> : <ProblemText problem={state.problem} />}
      <button type="button" class="button" onClick={retry}>
        {text.tryAgain}
      </button>
    </Message>
  </div>
)

/** Shown without any batch: how to get one. */
export function NoBatch() {
  const { local } = useGallery()
  return (
    <Message icon="upload" title={words.noBatch}>
      {local ? (
        <>
          <p>{words.noBatchLocal}</p>
          <AddPhotos local={local} isPrimary />
        </>
      ) : (
        <>
          <p>{words.noBatchDeployed}</p>
          <Copyable value={commands.upload} />
          <Copyable value={commands.start} />
        </>
      )}
    </Message>
  )
}

/** Shown for a batch without results. */
export function EmptyBatch() {
  const { batch, local } = useGallery()
  const { isOpen } = batch.live.value
  return (
    <Message icon={local ? 'upload' : 'info'} title={words.batchEmpty}>
      <p>{isOpen ? words.batchEmptyOpen : words.batchEmptyClosed}</p>
      {local && <p>{words.noBatchLocal}</p>}
      {local && <AddPhotos local={local} isPrimary />}
      {!local && <Copyable value={isOpen ? commands.upload : commands.fire} />}
    </Message>
  )
}

/** Shown if no image passes the filters. */
export function NoMatch() {
  const { filters } = useGallery()
  return (
    <Message icon="filter" title={words.noMatch}>
      <p>{words.noMatchHint}</p>
      <button
        type="button"
        class="button"
        onClick={() => {
          filters.clear()
          focusImages()
        }}
      >
        {text.filters.clear}
      </button>
    </Message>
  )
}

/** Placeholder for pictures. */
export const Skeleton = () => (
  <div class="skeleton" aria-hidden="true">
    {Array.from({ length: 12 }, (_, index) => (
      <span key={index} />
    ))}
  </div>
)
