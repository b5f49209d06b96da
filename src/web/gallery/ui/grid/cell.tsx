import { useState } from 'preact/hooks'
import type { RowRecord } from '../../contract'
import type { Cell as Known } from '../../data/gallery'
import { useGallery } from '../context'
import { percent } from '../format'
import { Icon } from '../icons'
import { isNotShown } from '../parts/formats'
import { text } from '../strings'

/** Shown in place of a picture. */
const Instead = ({ caption, isError = false }: { caption: string; isError?: boolean }) => (
  <span class={isError ? 'photo instead bad' : 'photo instead'}>
    <Icon name={isError ? 'warning' : 'missing'} />
    <span dir="auto">{caption}</span>
  </span>
)

function Photo({ record }: { record: RowRecord | undefined }) {
  const [broken, setBroken] = useState('')
  if (!record) return <span class="photo" />
  if (record.status === 'error') return <Instead caption={record.error?.message ?? ''} isError />
  const source = record.thumbnailUrl ?? record.url
  if (!record.thumbnailUrl && isNotShown(record.format))
    return <Instead caption={text.grid.cannotShow(record.format)} />
  if (broken === source) return <Instead caption={text.grid.noPreview} />
  return (
    <img
      class="photo"
      alt=""
      decoding="async"
      draggable={false}
      src={source}
      onError={() => setBroken(source)}
    />
  )
}

interface Captions {
  label: string
  confidence: string
  isError: boolean
}

const captionsOf = ({ label, confidence, code }: Known): Captions =>
  code
    ? { label: code, confidence: '', isError: true }
    : { label: label ?? text.grid.noLabel, confidence: label ? percent(confidence) : '', isError: false }

interface Props {
  row: number
  position: number
  column: number
  isStop: boolean
}

/** One image: what the index has at once, the picture when the record is loaded. */
export function Cell({ row, position, column, isStop }: Props) {
  const { rows, selection } = useGallery()
  const known = rows.cell(row)
  const record = rows.record(row)
  const { label, confidence, isError } = captionsOf(known)
  const key = record?.key ?? known.key ?? text.grid.position(position + 1)
  return (
    // biome-ignore lint/a11y/useSemanticElements: rows of a table cannot be placed freely
    <div
      class={isError ? 'cell error' : 'cell'}
      role="gridcell"
      aria-colindex={column + 1}
      aria-selected={selection.has(row)}
      title={key}
      tabIndex={isStop ? 0 : -1}
      data-position={position}
    >
      <span class="hidden-text">{isError ? `${key}, ${text.grid.error}: ` : `${key}, `}</span>
      <Photo record={record} /> <span class="check" title={text.selection.select} aria-hidden="true" />
      <span class="label" dir="auto">
        {label}
      </span>{' '}
      <span class="share number">{confidence}</span>
    </div>
  )
}
