import { useState } from 'preact/hooks'
import type { Gallery } from '../data/gallery'
import { Batches } from './batch/batches'
import { LiveState } from './batch/live'
import { Summary } from './batch/summary'
import { GalleryContext, useGallery } from './context'
import { Filters } from './filters/filters'
import { Help, isHelpOpen } from './help'
import { Icon } from './icons'
import { Images } from './images'
import { DropArea } from './local/drop'
import { AddPhotos, Uploads } from './local/uploads'
import { Modal } from './parts/modal'
import { RoundButton } from './parts/round-button'
import { narrow, useMedia } from './parts/use-media'
import { Failed, NoBatch, Skeleton } from './states'
import { text } from './strings'
import { Viewer } from './viewer/viewer'

const Header = () => {
  const { local } = useGallery()
  return (
    <header class="top">
      <Icon name="lens" />
      <h1>{text.name}</h1>
      <LiveState />
      {local && <AddPhotos local={local} />}
      <RoundButton
        icon="keyboard"
        name={text.help.open}
        act={() => {
          isHelpOpen.value = true
        }}
      />
    </header>
  )
}

const Side = ({ hasFilters }: { hasFilters: boolean }) => (
  <aside class="side">
    <nav aria-labelledby="batches-title">
      <h2 id="batches-title">{text.batches.title}</h2>
      <Batches />
    </nav>
    {hasFilters && (
      <section aria-labelledby="filters-title">
        <h2 id="filters-title">{text.filters.title}</h2>
        <Filters />
      </section>
    )}
  </aside>
)

/** Opens the filters in a dialog, on narrow screens. */
function FilterButton() {
  const { result, filters } = useGallery()
  const [isOpen, setOpen] = useState(false)
  return (
    <>
      <button type="button" class="button" aria-haspopup="dialog" onClick={() => setOpen(true)}>
        <Icon name="filter" />
        {text.filters.title}
        {filters.isActive.value && <span class="dot running" />}
      </button>
      {isOpen && (
        <Modal title={text.filters.title} class="drawer" close={() => setOpen(false)}>
          <Filters />
          <button type="button" class="primary sticky" onClick={() => setOpen(false)}>
            {text.filters.show(result.value.rows.length)}
          </button>
        </Modal>
      )}
    </>
  )
}

/** Opens the batches in a dialog, on narrow screens. */
function BatchButton() {
  const [isOpen, setOpen] = useState(false)
  return (
    <>
      <RoundButton icon="down" name={text.batches.open} act={() => setOpen(true)} opensDialog />
      {isOpen && (
        <Modal title={text.batches.title} class="drawer" close={() => setOpen(false)}>
          <Batches chosen={() => setOpen(false)} />
        </Modal>
      )}
    </>
  )
}

function Main({ isNarrow }: { isNarrow: boolean }) {
  const { batches } = useGallery()
  const state = batches.state.value
  if (state.is === 'empty') return <NoBatch />
  if ('problem' in state) return <Failed state={state} retry={() => batches.reload()} />
  if (batches.chosen.value === undefined) return <Skeleton />
  return (
    <>
      <Summary choice={isNarrow && <BatchButton />} />
      <Images tools={isNarrow && <FilterButton />} />
    </>
  )
}

function Page() {
  const { batches, result, local } = useGallery()
  const isNarrow = useMedia(narrow)
  const hasSide = !isNarrow && batches.list.value.length > 0
  return (
    <>
      <a class="skip" href="#images">
        {text.skip}
      </a>
      <Header />
      <div class={hasSide ? 'layout' : 'layout single'}>
        {hasSide && <Side hasFilters={result.value.total > 0} />}
        <main>
          <Main isNarrow={isNarrow} />
        </main>
      </div>
      {local && <Uploads local={local} />}
      {local && <DropArea local={local} />}
      <Viewer />
      <Help />
    </>
  )
}

export const App = ({ gallery }: { gallery: Gallery }) => (
  <GalleryContext.Provider value={gallery}>
    <Page />
  </GalleryContext.Provider>
)
