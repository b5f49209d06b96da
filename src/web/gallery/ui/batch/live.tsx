import { useEffect, useState } from 'preact/hooks'
import type { Gallery, Live } from '../../data/gallery'
import { useGallery } from '../context'
import { RoundButton } from '../parts/round-button'
import { text } from '../strings'

interface Says {
  says: string
  /** Where there is room for it. */
  more?: string
  dot: string
}

/** How the page stands, in words and as the colour of a dot. */
function stateOf({ batches, batch }: Gallery, now: number): Says {
  const live = batch.live.value
  const states = [batches.state.value.is, batch.state.value.is]
  if (states.includes('refused') || live.problem?.code === 'unauthorized')
    return { says: text.live.refused, dot: 'stopped' }
  if (live.waitsFor === 'throttled') return { says: text.live.throttled, more: untilNext(live, now), dot: '' }
  if (states.includes('failed') || live.problem)
    return { says: text.live.failed, more: untilNext(live, now), dot: 'stopped' }
  // Where there is no batch, none is being loaded.
  if (states.includes('loading') && batches.state.value.is !== 'empty')
    return { says: text.live.loading, dot: '' }
  if (!live.isOpen) return { says: text.live.upToDate, dot: 'complete' }
  if (live.waitsFor === 'hidden') return { says: text.live.hidden, dot: '' }
  return { says: text.live.live, more: untilNext(live, now), dot: live.waitsFor ? '' : 'running' }
}

function untilNext({ isRefreshing, nextAt, waitsFor }: Live, now: number): string | undefined {
  if (isRefreshing) return text.live.refreshing
  if (nextAt === undefined) return undefined
  const left = Math.max(0, nextAt - now)
  return waitsFor === 'budget' ? text.live.budget(left) : text.live.nextIn(left)
}

/** Whether what is shown is current, when it will be, and a button to have it so at once. */
export function LiveState() {
  const gallery = useGallery()
  const { nextAt } = gallery.batch.live.value
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    setNow(Date.now())
    if (nextAt === undefined) return
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [nextAt])
  const { says, more, dot } = stateOf(gallery, now)
  return (
    <div class="live">
      <span class={`dot ${dot}`} aria-hidden="true" />
      <span id="live" class="number">
        {says}
        {more && <span class="live-more">, {more}</span>}
      </span>
      <RoundButton icon="refresh" name={text.live.reload} act={() => gallery.batches.reload()} />
    </div>
  )
}
