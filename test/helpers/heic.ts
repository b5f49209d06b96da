import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { box, fullBox, u16, u32 } from './images'

/** A HEIC fixture, made from samples/cat.jpg with pillow-heif. */
export const heicFixture = (name: string): Buffer =>
  readFileSync(join(__dirname, '..', 'fixtures', 'heic', `${name}.heic`))

/** The box of a type that occurs once in a file, including its length and type. */
function boxIn(file: Buffer, type: string): Buffer {
  const at = file.indexOf(type) - 4
  return file.subarray(at, at + file.readUInt32BE(at))
}

/** Item 1 is the grid, the following ones its tiles, which share the same bytes. */
const itemOf = (id: number, type: string): Buffer =>
  box('infe', u32(0x02000000), u16(id, 0), type, Buffer.alloc(1))

/** Location of an item; the construction method is file (0) or idat box (1). */
const placeOf = (id: number, method: number, offset: number, length: number): Buffer =>
  Buffer.concat([u16(id, method, 0, 1), u32(offset, length)])

/**
 * A HEIC photo in the layout that phones write: a grid of tiles. All tiles are the fixture "cat".
 * @param orientation number of quarter turns to the left
 * @param profile colour profile that replaces the fixture's
 */
export function heicGrid(columns: number, rows: number, orientation = 0, profile?: Buffer): Buffer {
  const file = heicFixture('cat')
  const [tileWidth, tileHeight] = [452, 300]
  const data = boxIn(file, 'mdat').subarray(8)
  const ids = Array.from({ length: columns * rows }, (_, index) => index + 2)
  const [width, height] = [columns * tileWidth, rows * tileHeight]
  const grid = Buffer.concat([Buffer.from([0, 1, rows - 1, columns - 1]), u32(width, height)])
  const properties = box(
    'ipco',
    fullBox('ispe', u32(width, height)),
    box('irot', Buffer.from([orientation])),
    fullBox('ispe', u32(tileWidth, tileHeight)),
    boxIn(file, 'hvcC'),
    profile ? box('colr', 'prof', profile) : boxIn(file, 'colr'),
  )
  const association = (id: number, ...names: number[]) =>
    Buffer.concat([u16(id), Buffer.from([names.length, ...names])])
  const associations = [association(1, 1, 0x82, 5), ...ids.map((id) => association(id, 3, 0x84, 5))]
  const brands = box('ftyp', 'heic', u32(0), 'mif1heic')
  /** Has a fixed length, whatever the offset of the tiles. */
  const metaAt = (offset: number): Buffer =>
    fullBox(
      'meta',
      fullBox('hdlr', u32(0), 'pict', Buffer.alloc(13)),
      fullBox('pitm', u16(1)),
      box(
        'iloc',
        u32(0x01000000),
        Buffer.from([0x44, 0]),
        u16(ids.length + 1),
        placeOf(1, 1, 0, grid.length),
        ...ids.map((id) => placeOf(id, 0, offset, data.length)),
      ),
      fullBox('iinf', u16(ids.length + 1), itemOf(1, 'grid'), ...ids.map((id) => itemOf(id, 'hvc1'))),
      fullBox('iref', box('dimg', u16(1, ids.length, ...ids))),
      box('iprp', properties, fullBox('ipma', u32(associations.length), ...associations)),
      box('idat', grid),
    )
  const offset = brands.length + metaAt(0).length + 8
  return Buffer.concat([brands, metaAt(offset), box('mdat', data)])
}
