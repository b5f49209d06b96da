import fc from 'fast-check'
import { columns, toRow } from '../../src/batch/reports/columns'
import { type CsvFormat, rawCsv, spreadsheetCsv } from '../../src/batch/reports/csv'
import { neutralise } from '../../src/batch/reports/formulas'
import type { ImageRecord } from '../../src/schema'
import { anyKey, errorRecord, okRecord, tabby } from './batch-fixtures'

/** A parser for RFC 4180, like those of spreadsheets. */
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

const cells = (record: ImageRecord, { header, line }: CsvFormat = rawCsv): Record<string, string> => {
  const [names = [], values = []] = parseCsv(header.replace(/^\uFEFF/, '') + line(record))
  expect(values).toHaveLength(names.length)
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']))
}

/** Restores a text by the rule in docs/results.md. */
const restored = (text: string): string =>
  text
    .replace(/^'('*[\t\r\n])/, '$1')
    .replace(/(^|[;|\t\r\n])'('*(?:(?![;|\t\r\n])[\p{Zs}\p{Cc}\p{Cf}"])*[=+\-@＝＋－＠])/gu, '$1$2')

const formulas = [
  '=1+1',
  '+1',
  '-1',
  '@SUM(A1)',
  '\tx',
  '\rx',
  '\n=1',
  '＝1+1',
  '－1',
  ' =1',
  '\u0000=1',
  '"=1',
]
const anyText = fc.oneof(
  anyKey,
  fc.string(),
  fc.constantFrom('a,b', '"', 'a\r\nb', '\n', ' a ', ',', '""', ...formulas),
  fc.string({
    unit: fc.constantFrom('=', '+', '-', '@', "'", '"', ';', '|', '\t', '\r', '\n', ' ', 'a', '＝'),
  }),
)

describe('a batch as CSV', () => {
  it('has the most probable label of an image, and all labels', () => {
    const lynx = { ...tabby, label: 'lynx', probability: 1 / 12 }
    expect(cells(okRecord('a.jpg', { labels: [tabby, lynx] }))).toMatchObject({
      bucket: 'photos',
      key: 'a.jpg',
      status: 'ok',
      label: 'tabby',
      probability: '0.75',
      wordnetId: 'n02123045',
      error: '',
      width: '2',
      labels: 'tabby 0.75; lynx 0.0833',
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

  it('in its raw form round-trips any key or label', () => {
    fc.assert(
      fc.property(anyText, anyText, (key, etag) => {
        const row = cells(okRecord(key, { etag }))
        expect(row).toMatchObject({ key, etag })
        expect(Object.keys(row)).toEqual(columns.map(({ name }) => name))
      }),
    )
  })

  it('starts with a byte order mark for spreadsheets, with the first column for programs', () => {
    expect(Buffer.from(spreadsheetCsv.header).subarray(0, 3).toString('hex')).toBe('efbbbf')
    expect(rawCsv.header).toMatch(/^bucket,key,status,label,/)
    expect(spreadsheetCsv.header.slice(1)).toBe(rawCsv.header)
  })

  it('keeps keys outside ASCII', () => {
    expect(cells(okRecord('Фото/猫😀.jpg'), spreadsheetCsv).key).toBe('Фото/猫😀.jpg')
  })
})

describe('neutralising formulas', () => {
  it.each(formulas)('makes a key safe in spreadsheets: %j', (text) => {
    expect(cells(okRecord(text), spreadsheetCsv).key?.startsWith("'")).toBe(true)
    expect(cells(okRecord(text), rawCsv).key).toBe(text)
  })

  it('covers labels, class names and etags', () => {
    const label = { ...tabby, label: '=HYPERLINK("https://example.com")', className: '@x, y' }
    const row = cells(okRecord('a', { labels: [label], etag: '-1' }), spreadsheetCsv)
    expect(row).toMatchObject({ label: `'${label.label}`, className: "'@x, y", etag: "'-1" })
  })

  it('covers formulas after other separators', () => {
    expect(neutralise('a;=1+1;b')).toBe("a;'=1+1;b")
    expect(neutralise('a\n=1+1')).toBe("a\n'=1+1")
    expect(neutralise('a\t"=1+1"')).toBe(`a\t'"=1+1"`)
  })

  it('leaves other texts unchanged', () => {
    for (const text of ["'quoted'", 'a=b', '2026-11-22', 'x-1.jpg', 'a, -b', '', '😀', '"a"'])
      expect(neutralise(text)).toBe(text)
  })

  it('is reversible by the documented rule, for any text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const neutral = neutralise(text)
        expect(restored(neutral)).toBe(text)
        for (const cell of [neutral, ...neutral.split(/[;|\t\r\n]/)])
          expect(cell).not.toMatch(/^["\p{Cc}\p{Cf}\p{Zs}]*[=+\-@＝＋－＠]/u)
        expect(neutral).not.toMatch(/^[\t\r\n]/)
      }),
      { numRuns: 2000 },
    )
  })

  it('leaves numbers alone, negative ones too', () => {
    const record = okRecord('a', { timings: { download: -1, decode: 0, infer: 0 } })
    expect(cells(record, spreadsheetCsv).downloadMs).toBe('-1')
  })
})

describe('a row of JSON Lines', () => {
  it('has the columns of the CSV, and null for missing values', () => {
    const row = toRow(errorRecord('a.jpg', {}, { width: null }))
    expect(Object.keys(row)).toEqual(parseCsv(rawCsv.header)[0])
    expect(row).toMatchObject({ error: 'image_corrupt', label: null, width: null, labels: [] })
  })
})
