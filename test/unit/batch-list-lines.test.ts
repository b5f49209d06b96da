import fc from 'fast-check'
import { fieldsOf, isContinued, parseLine, shapeOf } from '../../src/batch/planning/list-lines'
import type { Shape } from '../../src/batch/state/batch'
import { hintOf, type WhisklensError } from '../../src/errors'
import { anyKey } from './batch-fixtures'

const parsed = (line: string) => parseLine(line, shapeOf(line))

/** The shortened line in an error. */
function refusal(line: string, shape?: Shape) {
  try {
    return { ...parseLine(line, shape ?? shapeOf(line)) }
  } catch (thrown) {
    const { code, message } = thrown as WhisklensError
    return { code, message, hint: hintOf(thrown as WhisklensError) }
  }
}

const bucket = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{1,20}[a-z0-9]$/)
const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`
/** Form encoding and path encoding. */
const encoders = [
  encodeURIComponent,
  (text: string) => new URLSearchParams([['', text]]).toString().slice(1),
  (text: string) => encodeURIComponent(text).replaceAll('%2F', '/'),
]
const oneLine = anyKey.filter((key) => !/[\r\n]/.test(key))

describe('a line of a list of images', () => {
  it.each<[string, Shape, { bucket?: string; key: string }]>([
    ['incoming/red fox.jpg', 'keys', { key: 'incoming/red fox.jpg' }],
    ['incoming/a, b.jpg', 'keys', { key: 'incoming/a, b.jpg' }],
    ['red%20fox.jpg', 'keys', { key: 'red%20fox.jpg' }],
    ['s3://animals/a b+c%20d.jpg', 'keys', { bucket: 'animals', key: 'a b+c%20d.jpg' }],
    ['{"source-ref":"s3://animals/a b.jpg","label":{"x":1}}', 'json', { bucket: 'animals', key: 'a b.jpg' }],
    [
      '{"content": "s3://animals/a.png", "mimeType": "image/png"}',
      'json',
      { bucket: 'animals', key: 'a.png' },
    ],
    ['animals,incoming/cat.png', 'pair', { bucket: 'animals', key: 'incoming/cat.png' }],
    ['animals,"a ""b"", c.jpg"', 'pair', { bucket: 'animals', key: 'a "b", c.jpg' }],
    ['animals,a%20b.jpg', 'pair', { bucket: 'animals', key: 'a%20b.jpg' }],
    ['"animals","a%20b%2Bc.jpg","7"', 'inventory', { bucket: 'animals', key: 'a b+c.jpg' }],
    [
      '"animals","caf%C3%A9+au+lait.jpg","","2026-01-02T03:04:05.000Z"',
      'inventory',
      { bucket: 'animals', key: 'café au lait.jpg' },
    ],
    [
      '"animals","a.jpg","3sL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY","true","false","12"',
      'inventory',
      { bucket: 'animals', key: 'a.jpg' },
    ],
    [
      'animals,a.jpg,12,2026-01-02T03:04:05Z,0a1b2c3d4e5f60718293a4b5c6d7e8f9-3,STANDARD_IA,false,SSE-S3',
      'inventory',
      { bucket: 'animals', key: 'a.jpg' },
    ],
  ])('%s has the shape %s', (line, shape, listed) => {
    expect([shapeOf(line), parsed(line)]).toEqual([shape, listed])
  })

  it('names the same image in each shape, whatever its key', () => {
    fc.assert(
      fc.property(bucket, oneLine, fc.constantFrom(...encoders), (name, key, encode) => {
        const address = `s3://${name}/${key}`
        const image = { bucket: name, key }
        expect(parsed(address)).toEqual(image)
        expect(parsed(JSON.stringify({ 'source-ref': address }))).toEqual(image)
        expect(parsed(JSON.stringify({ mimeType: 'image/png', content: address }))).toEqual(image)
        expect(parsed(`${name},${quoted(key)}`)).toEqual(image)
        expect(parsed(`${quoted(name)},${quoted(encode(key))},"12","2026-01-02T03:04:05.000Z"`)).toEqual(
          image,
        )
        expect(parseLine(key, 'keys')).toEqual({ key })
      }),
      { numRuns: 500 },
    )
  })

  it('is parsed, or refused with its own error, whatever it contains', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (line) => {
        const found = refusal(line)
        expect('key' in found || found.code === 'manifest_invalid').toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  it.each([
    ['Bucket,Key,Size', /^The columns are not recognized: "Bucket,Key,Size"/],
    ['bucket,key', /^The columns are not recognized: "bucket,key"/],
    ['photo,label,score', /^The columns are not recognized/],
    ['"only one"', /^The columns are not recognized/],
    ['animals;incoming/cat.png', /^The columns are not recognized/],
    ['animals\tincoming/cat.png', /^The columns are not recognized/],
    ['{"uri":"s3://animals/a.jpg"}', /^No image is named/],
    ['{"source-ref":"gs://animals/a.jpg"}', /gs:\/\/animals/],
    ['{"source-ref":"s3://animals/"}', /^The key is not valid/],
    ['{"source-ref":"s3://animals/a\\ud800.jpg"}', /^The key is not valid/],
    ['s3://A/a.jpg', /^The bucket name is not valid/],
    ['\x1f\ufffd\b', /^The list is compressed with gzip/],
    ['a\0b', /^The list is not UTF-8 text/],
    ['"animals","%E0%A4%A","7"', /^The key is not URL-encoded/],
    [`a/${'x'.repeat(1_023)}`, /^The key is longer than 1024 bytes/],
  ])('%j is refused and shown', (line, message) => {
    const found = refusal(line)
    expect(found.code).toBe('manifest_invalid')
    expect(found.message).toMatch(message)
    expect(found.hint).toBeDefined()
  })

  it('is refused if its shape differs from that of the first', () => {
    expect(refusal('incoming/boat.png', 'json').code).toBe('manifest_invalid')
    expect(refusal('animals,a.jpg,b.jpg', 'pair').code).toBe('manifest_invalid')
    expect(refusal('animals,a.jpg', 'inventory').code).toBe('manifest_invalid')
  })
})

describe('the fields of CSV', () => {
  it('round-trip', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1 }), (fields) => {
        const written = fields.map((field) => (/[",\n]/.test(field) ? quoted(field) : field)).join(',')
        expect(fieldsOf(written)).toEqual(fields)
      }),
    )
  })

  it('are undefined if a quote is misplaced', () => {
    expect([fieldsOf('a"b,c'), fieldsOf('"a"b,c'), fieldsOf('"a')]).toEqual([undefined, undefined, undefined])
  })

  it('continue on the next line inside quotes', () => {
    expect(isContinued('animals,"a', 'pair')).toBe(true)
    expect(isContinued('animals,"a ""b"""', 'pair')).toBe(false)
    expect(isContinued('a"', 'keys')).toBe(false)
    expect(isContinued('animals,"a', undefined)).toBe(true)
    expect(isContinued('in/a "b.jpg', undefined)).toBe(false)
  })
})
