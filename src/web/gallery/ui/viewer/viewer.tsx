import { useId, useRef, useState } from 'preact/hooks'
import type { RowRecord } from '../../contract'
import { useGallery } from '../context'
import { Icon } from '../icons'
import { Announcer } from '../parts/announcer'
import { ProblemText } from '../parts/message'
import { useModal } from '../parts/modal'
import { RoundButton } from '../parts/round-button'
import { text } from '../strings'
import { Details } from './details'
import { Stage } from './stage'
import { OriginalLink, SelectTool, ZoomTools } from './tools'
import { usePreload } from './use-preload'
import { useViewerKeys } from './use-viewer-keys'
import { useSize, useZoom } from './use-zoom'
import type { Size } from './zoom'

const words = text.viewer

/** Size of a picture until it is known. */
const unknown: Size = { width: 4, height: 3 }

/** Size from the record; records of errors have none. */
function usePictureSize(record: RowRecord | undefined): [Size, (size: Size) => void] {
  const [measured, setMeasured] = useState<{ row: number; size: Size }>()
  const { row = -1, width, height } = record ?? {}
  const size = width && height ? { width, height } : measured?.row === row ? measured.size : unknown
  return [size, (natural) => setMeasured({ row, size: natural })]
}

function Open({ row }: { row: number }) {
  const { viewer, rows, result } = useGallery()
  const dialog = useModal(() => viewer.close(), true)
  const stage = useRef<HTMLDivElement>(null)
  const id = useId()
  const record = rows.record(row)
  const position = viewer.position.value
  const total = result.value.rows.length
  const [picture, measured] = usePictureSize(record)
  const zoom = useZoom(stage, useSize(stage), picture, row, viewer.move)
  const onKeyDown = useViewerKeys(zoom)
  const key = record?.key ?? rows.cell(row).key ?? words.title
  const problem = rows.problem.value
  const place = position < 0 ? words.filteredOut : words.position(position + 1, total)
  usePreload(position)
  return (
    <dialog class="viewer" tabIndex={-1} ref={dialog} aria-labelledby={id} onKeyDown={onKeyDown}>
      <div class="viewer-head">
        <h2 id={id} dir="auto" title={key}>
          {key}
        </h2>
        <span class="number muted place">{place}</span>
        <div class="tools">
          {record?.status === 'ok' && <ZoomTools zoom={zoom} />}
          <SelectTool row={row} position={position} />
          {record && <OriginalLink record={record} />}
          <RoundButton icon="close" name={text.close} act={() => viewer.close()} />
        </div>
      </div>
      <div class="viewer-body">
        <div class="stage-area">
          <Stage stage={stage} record={record} picture={picture} view={zoom.view} measured={measured} />
          <button
            type="button"
            class="turn previous"
            aria-label={words.previous}
            aria-disabled={position <= 0}
            onClick={() => viewer.move(-1)}
          >
            <Icon name="left" />
          </button>
          <button
            type="button"
            class="turn next"
            aria-label={words.next}
            aria-disabled={position >= total - 1}
            onClick={() => viewer.move(1)}
          >
            <Icon name="right" />
          </button>
        </div>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable, so it must be focusable */}
        <aside class="viewer-side" tabIndex={0} aria-label={words.facts}>
          {record && <Details record={record} />}
          {!record && problem && <ProblemText problem={problem} />}
        </aside>
      </div>
      <Announcer message={record ? `${place}, ${record.labels[0]?.label ?? record.error?.code ?? ''}` : ''} />
    </dialog>
  )
}

/** One photo in a dialog over the page. */
export function Viewer() {
  const row = useGallery().viewer.row.value
  return row === undefined ? null : <Open row={row} />
}
