import { errorCodes, errorKind, isErrorCode } from '../../../../error-codes'
import type { RowRecord } from '../../contract'
import { bytes, cameraTime, percent, time, timesOf } from '../format'
import { Icon } from '../icons'
import { Bar } from '../parts/bar'
import { Copyable } from '../parts/copyable'
import { type Fact, Facts } from '../parts/facts'
import { text } from '../strings'

const words = text.viewer

const Labels = ({ labels }: { labels: RowRecord['labels'] }) => (
  <section>
    <h3>{words.labels}</h3>
    {labels.length === 0 && <p class="muted">{text.grid.noLabel}</p>}
    <ol class="labels">
      {labels.map(({ label, className, probability }) => (
        <li key={label}>
          <span dir="auto" title={className}>
            {label}
          </span>
          <span class="number">{percent(probability)}</span>
          <Bar share={probability} />
        </li>
      ))}
    </ol>
  </section>
)

type Detection = NonNullable<RowRecord['detections']>[number]

const about = ({ emotions, age }: Detection): string =>
  [emotions?.[0]?.label, age === undefined ? '' : words.age(age)].filter(Boolean).join(', ')

const Detections = ({ detections }: { detections: Detection[] }) => (
  <section>
    <h3>{words.detections}</h3>
    <ol class="labels">
      {detections.map((detection) => (
        <li key={detection.box.join()}>
          <span dir="auto">
            {detection.label} <span class="muted">{about(detection)}</span>
          </span>
          <span class="number">{percent(detection.probability)}</span>
          <Bar share={detection.probability} />
        </li>
      ))}
    </ol>
  </section>
)

function ErrorText({ error: { code, message, attempts } }: { error: NonNullable<RowRecord['error']> }) {
  const hint = isErrorCode(code) && code in errorCodes ? errorKind(code).hint : undefined
  return (
    <section class="error-text">
      <h3>
        <Icon name="warning" />
        <code>{code}</code>
      </h3>
      <p dir="auto">{message}</p>
      {hint && <p>{hint}</p>}
      {attempts > 1 && <p class="small muted">{words.attempts(attempts)}</p>}
    </section>
  )
}

function taggingOf({ tagging }: RowRecord): string | undefined {
  if (!tagging) return undefined
  return tagging.status === 'ok' ? words.tagged : [tagging.code, tagging.message].filter(Boolean).join(': ')
}

function factsOf(record: RowRecord): Fact[] {
  const { size, width, height, format, exif, lastModified, at, model, engine, timings } = record
  const { position } = exif ?? {}
  return [
    [words.pixels, width && height ? `${width} × ${height}` : null],
    [words.size, size !== null && bytes(size)],
    [words.format, format?.toUpperCase()],
    [words.taken, exif?.takenAt && cameraTime(exif.takenAt)],
    [words.camera, exif?.camera],
    [words.where, position && `${position.latitude}, ${position.longitude}`],
    [words.modified, lastModified && time(lastModified)],
    [words.classified, time(at)],
    [words.times, record.status === 'ok' && words.timesOf(...timesOf(timings))],
    [words.model, `${model}, ${engine}`],
    [words.tagging, taggingOf(record)],
  ]
}

/** The stored record, without the fields of the answer. */
const jsonOf = ({ row: _row, url: _url, thumbnailUrl: _thumbnailUrl, ...record }: RowRecord): string =>
  JSON.stringify(record, null, 2)

/** Details of a photo. */
export const Details = ({ record }: { record: RowRecord }) => (
  <>
    {record.error && <ErrorText error={record.error} />}
    {record.status === 'ok' && <Labels labels={record.labels} />}
    {record.detections && record.detections.length > 0 && <Detections detections={record.detections} />}
    <section>
      <h3>{words.facts}</h3>
      <Facts facts={factsOf(record)} class="photo-facts" />
    </section>
    <details class="record">
      <summary>
        <Icon name="right" />
        {words.record}
      </summary>
      <Copyable value={jsonOf(record)} />
    </details>
  </>
)
