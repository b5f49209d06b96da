import { useEffect, useState } from 'preact/hooks'
import type { Gallery, Live } from '../../data/gallery'
import { useGallery } from '../context'
import { Icon } from '../icons'
import { text } from '../strings'

/** How the page stands: what it says, and the colour of the dot. */
function stateOf({ batches, batch }: Gallery, now: number): { says: string; dot: string } {
  const states = [batches.state.value.is, batch.state.value.is]
  if (states.includes('refused')) return { says: text.live.refused, dot: 'stopped' }
  if (states.includes('failed')) return { says: text.live.failed, dot: 'stopped' }
  if (states.includes('loading')) return { says: text.live.loading, dot: '' }
  const live = batch.live.value
  if (!live.isOpen) return { says: text.live.upToDate, dot: 'complete' }
  return { says: saysOf(live, now), dot: live.waitsFor ? '' : 'running' }
}

function saysOf({ isRefreshing, nextAt, waitsFor }: Live, now: number): string {
  if (isRefreshing) return text.live.refreshing
  if (waitsFor === 'hidden') return text.live.hidden
  if (nextAt === undefined) return text.live.live
  return text.live[waitsFor ?? 'nextIn'](Math.max(0, nextAt - now))
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
  const { says, dot } = stateOf(gallery, now)
  return (
    <div class="live">
      <span class={`dot ${dot}`} aria-hidden="true" />
      <span id="live" class="number">
        {says}
      </span>
      <button
        type="button"
        class="round"
        aria-label={text.live.reload}
        title={text.live.reload}
        onClick={() => gallery.batches.reload()}
      >
        <Icon name="refresh" />
      </button>
    </div>
  )
}
