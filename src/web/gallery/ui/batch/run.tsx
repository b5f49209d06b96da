import { useState } from 'preact/hooks'
import type { BatchSummary } from '../../../../schema'
import { dayOf, type LocalMode } from '../../data/gallery'
import { useGallery } from '../context'
import { Icon } from '../icons'
import { Copyable } from '../parts/copyable'
import { Modal } from '../parts/modal'
import { text } from '../strings'

/** Commands to show where the page itself may not start batches. */
export const commands = {
  upload: 'whisklens upload photos/',
  start: 'wsk trigger fire batch-requested -p prefix photos/',
  fire: 'wsk trigger fire batch-requested -p prefix photos/ -p force true',
  retry: (batch: string) => `whisklens retry ${batch}`,
}

const Commands = ({ batch, close }: { batch: string; close(): void }) => (
  <Modal title={text.commands.title} close={close}>
    <h3>{text.commands.upload}</h3>
    <Copyable value={commands.upload} />
    <h3>{text.commands.fire}</h3>
    <Copyable value={commands.fire} />
    {dayOf(batch) === undefined && (
      <>
        <h3>{text.commands.retry}</h3>
        <Copyable value={commands.retry(batch)} />
      </>
    )}
  </Modal>
)

function FireAgain({ local, close }: { local: LocalMode; close(): void }) {
  const [prefix, setPrefix] = useState('')
  const fire = (event: Event) => {
    event.preventDefault()
    close()
    local.fire(prefix)
  }
  return (
    <Modal title={text.local.fireTitle} close={close}>
      <form class="stack" onSubmit={fire}>
        <label>
          {text.local.prefix}
          <input
            type="text"
            value={prefix}
            placeholder="photos/"
            spellcheck={false}
            dir="auto"
            onInput={(event) => setPrefix(event.currentTarget.value)}
          />
        </label>
        <p class="small muted">{text.local.prefixHint}</p>
        <button type="submit" class="primary">
          {text.local.fireNow}
        </button>
      </form>
    </Modal>
  )
}

/** Fired batches with errors, or that were ended. */
const canRetry = ({ batch, totals, state }: BatchSummary): boolean =>
  dayOf(batch) === undefined && (totals.error > 0 || state === 'cancelled' || state === 'stopped')

const canCancel = ({ batch, state }: BatchSummary): boolean =>
  dayOf(batch) === undefined && (state === 'planning' || state === 'running')

/** Local mode: buttons to classify again and retry. Deployed: the commands. */
export function RunButtons({ summary }: { summary: BatchSummary }) {
  const { local } = useGallery()
  const [isOpen, setOpen] = useState(false)
  const close = () => setOpen(false)
  return (
    <div class="actions">
      {local && canRetry(summary) && (
        <button type="button" class="button" title={text.commands.retry} onClick={() => local.retryErrors()}>
          <Icon name="refresh" />
          {text.local.retry}
        </button>
      )}
      {local && canCancel(summary) && (
        <button type="button" class="button" onClick={() => local.cancelBatch()}>
          {text.local.cancel}
        </button>
      )}
      <button type="button" class="button" aria-haspopup="dialog" onClick={() => setOpen(true)}>
        {local ? text.local.fire : text.commands.open}
      </button>
      {isOpen &&
        (local ? (
          <FireAgain local={local} close={close} />
        ) : (
          <Commands batch={summary.batch} close={close} />
        ))}
    </div>
  )
}
