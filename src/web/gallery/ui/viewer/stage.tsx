import type { RefObject } from 'preact'
import { useState } from 'preact/hooks'
import type { RowRecord } from '../../contract'
import { Icon } from '../icons'
import { isNotShown } from '../parts/formats'
import { text } from '../strings'
import type { Size, View } from './zoom'

/** Boxes of detected objects. */
const Boxes = ({ record }: { record: RowRecord }) => (
  <>
    {record.detections?.map(({ label, box: [top, left, bottom, right] }) => (
      <span
        key={`${label} ${top} ${left} ${bottom} ${right}`}
        class="box"
        style={{
          top: `${top * 100}%`,
          left: `${left * 100}%`,
          width: `${(right - left) * 100}%`,
          height: `${(bottom - top) * 100}%`,
        }}
      >
        <span dir="auto">{label}</span>
      </span>
    ))}
  </>
)

type Loading = 'loading' | 'loaded' | 'failed'

const problemOf = ({ format }: RowRecord): string =>
  isNotShown(format) ? text.viewer.cannotShow(format) : text.viewer.failed

interface PictureProps {
  record: RowRecord
  picture: Size
  view: View
  /** Called with the picture's natural size if the record has none. */
  measured(size: Size): void
}

/** Shows the thumbnail at once, and the original over it when loaded. */
function Picture({ record, picture, view: { scale, x, y }, measured }: PictureProps) {
  const [state, setState] = useState<Loading>('loading')
  return (
    <>
      <div
        class="frame"
        style={{
          width: `${picture.width * scale}px`,
          height: `${picture.height * scale}px`,
          transform: `translate(-50%, -50%) translate(${x}px, ${y}px)`,
        }}
      >
        {record.thumbnailUrl && state !== 'loaded' && (
          <img alt="" src={record.thumbnailUrl} draggable={false} />
        )}
        {state !== 'failed' && (
          <img
            class="original"
            alt={record.key}
            src={record.url}
            draggable={false}
            decoding="async"
            onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) => {
              setState('loaded')
              measured({ width: naturalWidth, height: naturalHeight })
            }}
            onError={() => setState('failed')}
          />
        )}
        <Boxes record={record} />
      </div>
      {state === 'loading' && <p class="stage-note">{text.viewer.loading}</p>}
      {state === 'failed' && <p class="stage-note bad">{problemOf(record)}</p>}
    </>
  )
}

interface StageProps extends Omit<PictureProps, 'record'> {
  stage: RefObject<HTMLDivElement | null>
  record: RowRecord | undefined
}

/** The photo, or why it cannot be shown. */
export const Stage = ({ stage, record, ...picture }: StageProps) => (
  <div class="stage" ref={stage}>
    {record && record.status === 'ok' && <Picture key={record.row} record={record} {...picture} />}
    {record && record.status === 'error' && (
      <div class="stage-error">
        <Icon name="warning" />
        <p dir="auto">{record.error?.message}</p>
      </div>
    )}
  </div>
)
