import fc from 'fast-check'
import { csvHeader, toCsvLine } from '../../src/batch/reports/csv'
import { anyKey, errorRecord, okRecord } from './batch-fixtures'

/** A reader of RFC 4180, as spreadsheets have one. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  for (const [, quoted, plain = '', end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r\n)/g)) {
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    if (end === ',') continue
    rows.push(row)
    row = []
  }
  return rows
}

const cells = (record: Parameters<typeof toCsvLine>[0]): Record<string, string> => {
  const [names = [], values = []] = parseCsv(csvHeader + toCsvLine(record))
  expect(values).toHaveLength(names.length)
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']))
}

describe('a batch as CSV', () => {
  it('has the most probable label of an image', () => {
    expect(cells(okRecord('a.jpg'))).toMatchObject({
      bucket: 'photos',
      key: 'a.jpg',
      status: 'ok',
      label: 'tabby',
      probability: '0.75',
      wordnetId: 'n02123045',
      error: '',
      width: '2',
    })
  })

  it('has the error of an image that could not be classified', () => {
    expect(cells(errorRecord('a.jpg', {}, { width: null }))).toMatchObject({
      status: 'error',
      error: 'image_corrupt',
      label: '',
      probability: '',
      width: '',
    })
  })

  it('reads back as it was, whatever a key or a label holds', () => {
    const anyText = fc.oneof(
      anyKey,
      fc.string(),
      fc.constantFrom('a,b', '"', 'a\r\nb', '\n', ' a ', ',', '""'),
    )
    fc.assert(
      fc.property(anyText, anyText, (key, etag) => {
        expect(cells(okRecord(key, { etag }))).toMatchObject({ key, etag })
      }),
    )
  })
})
