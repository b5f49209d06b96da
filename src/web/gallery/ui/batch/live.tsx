import { useEffect, useState } from 'preact/hooks'
import type { Gallery, Live } from '../../data/gallery'
import { useGallery } from '../context'
import { RoundButton } from '../parts/round-button'
import { text } from '../strings'

interface LiveText {
  caption: string
  /** Shown if there is room. */
  more?: string
  dot: string
}

/** State of the page as text and colour of a dot. */
function stateOf({ batches, batch }: Gallery, now: number): LiveText {
  const live = batch.live.value
  const states = [batches.state.value.is, batch.state.value.is]
  if (states.includes('refused') || live.problem?.code === 'unauthorized')
    return { caption: text.live.refused, dot: 'stopped' }
  if (live.waitsFor === 'throttled')
    return { caption: text.live.throttled, more: untilNext(live, now), dot: '' }
  if (states.includes('failed') || live.problem)
    return { caption: text.live.failed, more: untilNext(live, now), dot: 'stopped' }
  // Without batches, none is loading.
  if (states.includes('loading') && batches.state.value.is !== 'empty')
    return { caption: text.live.loading, dot: '' }
  if (!live.isOpen) return { caption: text.live.upToDate, dot: 'complete' }
  if (live.waitsFor === 'hidden') return { caption: text.live.hidden, dot: '' }
  return { caption: text.live.live, more: untilNext(live, now), dot: live.waitsFor ? '' : 'running' }
}

function untilNext({ isRefreshing, nextAt, waitsFor }: Live, now: number): string | undefined {
  if (isRefreshing) return text.live.refreshing
  if (nextAt === undefined) return undefined
  const left = Math.max(0, nextAt - now)
  return waitsFor === 'budget' ? text.live.budget(left) : text.live.nextIn(left)
}

/** Whether the data is current, when it is refreshed, and a button to refresh it now. */
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
  const { caption, more, dot } = stateOf(gallery, now)
  return (
    <div class="live">
      <span class={`dot ${dot}`} aria-hidden="true" />
      <span id="live" class="number">
        {caption}
        {more && <span class="live-more">, {more}</span>}
      </span>
      <RoundButton icon="refresh" name={text.live.reload} act={() => gallery.batches.reload()} />
    </div>
  )
}
