import type { RowRecord } from '../../contract'
import { useGallery } from '../context'
import { Icon } from '../icons'
import { RoundButton } from '../parts/round-button'
import { text } from '../strings'
import type { Zoom } from './use-zoom'

const words = text.viewer

/** Zoom factor of a key or button. */
export const zoomStep = 1.5

export const ZoomTools = ({ zoom }: { zoom: Zoom }) => (
  <>
    <RoundButton
      icon="minus"
      name={words.zoomOut}
      act={() => zoom.zoomBy(1 / zoomStep)}
      isOff={zoom.isFitted}
    />
    <RoundButton icon="plus" name={words.zoomIn} act={() => zoom.zoomBy(zoomStep)} />
    <button type="button" class="quiet number" title={words.actualSize} onClick={zoom.actualSize}>
      100 %
    </button>
    <RoundButton icon="fit" name={words.fit} act={zoom.fit} isOff={zoom.isFitted} />
  </>
)

export function SelectTool({ row, position }: { row: number; position: number }) {
  const { selection } = useGallery()
  return (
    <RoundButton
      icon="check"
      name={text.selection.select}
      isPressed={selection.has(row)}
      isOff={position < 0}
      act={() => selection.click(position, { toggle: true })}
    />
  )
}

export const OriginalLink = ({ record }: { record: RowRecord }) => (
  <a class="quiet" href={record.url} target="_blank" rel="noopener noreferrer">
    <Icon name="external" />
    <span>{words.original}</span>
  </a>
)
