import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { msOf } from '../../clock'
import type { NamedLabel } from '../../labels/classes'
import type { ImageRecord } from '../../schema'
import {
  endMark,
  type IndexColumns,
  type IndexDirectory,
  type IndexKeys,
  type IndexOthers,
  maxCameras,
  recordsPerChunk,
  type Section,
} from './index-format'

/** A partial index. Plain data, so that another activation can resume. */
export interface IndexSoFar {
  directory: IndexDirectory
  /** Total length of the blocks. */
  bytes: number
}

export const emptyIndex = (): IndexSoFar => ({
  directory: {
    schema: 'whisklens.index/1',
    rows: 0,
    labels: [],
    codes: [],
    cameras: [],
    buckets: [],
    blocks: [],
  },
  bytes: 0,
})

/** Builds an index block by block. */
export interface IndexBuilder {
  /** @param line the record as JSON, with its line break */
  add(record: ImageRecord, line: string): void
  /** Ends a block with the records added since the last one, and adds it to the directory. */
  block(): Buffer
  /** The directory and trailer that follow the last block. */
  end(): Buffer
}

/** Higher levels take a fifth longer and save one byte in thirty. */
const compressed = (value: string): Buffer => gzipSync(value, { level: 4 })

/** Brotli quality 1 takes half the time of gzip's fastest level and compresses better. */
const params = { [constants.BROTLI_PARAM_QUALITY]: 1 }

/** @param index is updated in place */
export function openIndexBuilder(index: IndexSoFar): IndexBuilder {
  const { directory } = index
  const idOf = {
    label: numbering(directory.labels, keyOfLabel),
    code: numbering(directory.codes),
    camera: numbering(directory.cameras, undefined, maxCameras),
    bucket: numbering(directory.buckets),
  }
  let columns = emptyColumns()
  let others: IndexOthers = { label: [], confidence: [] }
  let keys: IndexKeys = { key: [] }
  let chunks: Buffer[] = []
  let lines: string[] = []

  const endChunk = (): void => {
    if (lines.length > 0) chunks.push(brotliCompressSync(lines.join(''), { params }))
    lines = []
  }

  return {
    add: (record, line) => {
      const ids = record.labels.map(({ label, className, wordnetId }) =>
        idOf.label({ label, className, wordnetId }),
      )
      const thousandths = record.labels.map(({ probability }) => Math.round(probability * 1000))
      columns.label.push(ids[0] ?? -1)
      columns.confidence.push(thousandths[0] ?? 0)
      columns.error.push(record.error ? idOf.code(record.error.code) : -1)
      columns.bucket.push(idOf.bucket(record.bucket))
      columns.takenAt.push(minutesOf(record.exif?.takenAt))
      columns.camera.push(record.exif?.camera ? idOf.camera(record.exif.camera) : -1)
      others.label.push(ids.slice(1))
      others.confidence.push(thousandths.slice(1))
      keys.key.push(record.key)
      if (lines.push(line) === recordsPerChunk) endChunk()
    },
    block: () => {
      const rows = keys.key.length
      if (rows === 0) return Buffer.alloc(0)
      endChunk()
      const sections = [columns, others, keys].map((section) => compressed(JSON.stringify(section)))
      let from = index.bytes
      const [columnsAt, othersAt, keysAt] = sections.map(({ length }): Section => {
        from += length
        return [from - length, length]
      }) as [Section, Section, Section]
      directory.blocks.push({
        rows,
        columns: columnsAt,
        others: othersAt,
        keys: keysAt,
        records: from,
        chunks: chunks.map(({ length }) => length),
      })
      const block = Buffer.concat([...sections, ...chunks])
      directory.rows += rows
      index.bytes += block.length
      columns = emptyColumns()
      others = { label: [], confidence: [] }
      keys = { key: [] }
      chunks = []
      return block
    },
    end: () => {
      const written = compressed(JSON.stringify(directory))
      const length = Buffer.alloc(4)
      length.writeUInt32BE(written.length)
      return Buffer.concat([written, length, Buffer.from(endMark)])
    },
  }
}

const emptyColumns = (): IndexColumns => ({
  label: [],
  confidence: [],
  error: [],
  bucket: [],
  takenAt: [],
  camera: [],
})

const keyOfLabel = ({ label, className, wordnetId }: NamedLabel): string =>
  `${label}\n${className}\n${wordnetId}`

/** Assigns ids in order of appearance; -1 beyond the limit. */
function numbering<T>(
  values: T[],
  keyOf: (value: T) => string = String,
  max = Number.POSITIVE_INFINITY,
): (value: T) => number {
  const known = new Map(values.map((value, id) => [keyOf(value), id]))
  return (value) => {
    const key = keyOf(value)
    const id = known.get(key)
    if (id !== undefined) return id
    if (values.length >= max) return -1
    known.set(key, values.length)
    return values.push(value) - 1
  }
}

/** Minutes by the camera's clock, without an offset from UTC; -1 when unknown. */
function minutesOf(takenAt: string | undefined): number {
  const ms = takenAt === undefined ? Number.NaN : msOf(`${takenAt.slice(0, 19)}Z`)
  return ms >= 0 ? Math.floor(ms / 60_000) : -1
}
