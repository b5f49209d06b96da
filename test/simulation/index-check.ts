import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import type {
  IndexColumns,
  IndexDirectory,
  IndexKeys,
  IndexOthers,
  Section,
} from '../../src/batch/reports/index-format'
import type { ImageRecord } from '../../src/schema'
import type { Complaints } from './invariants'

const parsed = (bytes: Buffer) => JSON.parse(gunzipSync(bytes).toString('utf8'))

/** Checks that an index has all records once and in order, and that its columns match the records. */
export function checkIndex(id: string, body: Buffer, lines: string[], complaints: Complaints): void {
  const length = body.readUInt32BE(body.length - 8)
  const directory: IndexDirectory = parsed(body.subarray(-8 - length, -8))
  const section = <T>([from, bytes]: Section): T => parsed(body.subarray(from, from + bytes))
  const rows = directory.blocks.flatMap((block) => {
    let end = block.records
    const texts = block.chunks.map((bytes) => {
      end += bytes
      return brotliDecompressSync(body.subarray(end - bytes, end)).toString('utf8')
    })
    const columns = section<IndexColumns>(block.columns)
    const others = section<IndexOthers>(block.others)
    const { key } = section<IndexKeys>(block.keys)
    const blockLines = texts.join('').split('\n').slice(0, -1)
    complaints.expect(
      new Set([
        block.rows,
        key.length,
        blockLines.length,
        others.label.length,
        ...Object.values(columns).map((column) => column.length),
      ]).size === 1,
      () => `${id}: the columns of its index differ in length`,
    )
    return blockLines.map((line, row) => ({
      line,
      key: key[row],
      bucket: directory.buckets[columns.bucket[row] ?? -1],
      code: directory.codes[columns.error[row] ?? -1],
      labels: [columns.label[row] ?? -1, ...(others.label[row] ?? [])].map(
        (label) => directory.labels[label]?.label,
      ),
    }))
  })
  complaints.expect(directory.rows === lines.length, () => `${id}: its index has ${directory.rows} rows`)
  complaints.expect(
    rows.map(({ line }) => line).join() === lines.join(),
    () => `${id}: the records in its index and results.jsonl differ`,
  )
  for (const { line, key, bucket, code, labels } of rows) {
    const record: ImageRecord = JSON.parse(line)
    const names = record.labels.map(({ label }) => label)
    complaints.expect(
      key === record.key &&
        bucket === record.bucket &&
        code === record.error?.code &&
        labels.filter((label) => label !== undefined).join() === names.join(),
      () => `${id}: the columns of ${record.key} do not match its record`,
    )
  }
}
