import { deflateRawSync, gzipSync } from 'node:zlib'
import sharp from 'sharp'
import { box, sample, u32 } from '../../helpers/images'
import { type TiffOptions, tiff } from '../../helpers/tiff'
import type { Random } from '../../simulation/random'

/** Files that cannot be classified, by kind; the kind starts with the extension. */

type Maker = (random: Random) => Buffer | Promise<Buffer>

const [width, height] = [48, 40]
const noise = (random: Random, length: number): Buffer =>
  Buffer.from(Array.from({ length }, () => random.between(0, 255)))
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')
const le = (...values: number[]): Buffer =>
  Buffer.concat(
    values.map((value) => {
      const bytes = Buffer.alloc(4)
      bytes.writeInt32LE(value)
      return bytes
    }),
  )

const grey = { width, height, bits: 8, samples: 1, photometric: 1 }
const of =
  (options: Partial<TiffOptions>): Maker =>
  (random) => {
    const one = { ...grey, ...options }
    return tiff(one, noise(random, Math.ceil((width * one.bits * one.samples) / 8) * height))
  }
const sensor = { ...grey, bits: 16, photometric: 32803, data: Buffer.alloc(width * height * 2, 77) }

/** Images in formats that are not decoded. */
export const undecoded: Record<string, Maker> = {
  'bmp image': (random) =>
    Buffer.concat([
      latin1('BM'),
      le(54 + width * height * 3, 0, 54, 40, width, height, 0x00180001, 0, 0, 0, 0, 0, 0),
      noise(random, width * height * 3),
    ]),
  'ico image': async () => {
    const png = await sharp(sample('cat')).resize(32, 32).png().toBuffer()
    return Buffer.concat([latin1('\0\0\x01\0\x01\0\x20\x20\0\0\x01\0\x20\0'), le(png.length, 22), png])
  },
  'psd document': (random) =>
    Buffer.concat([
      latin1('8BPS\0\x01\0\0\0\0\0\0\0\x03'),
      u32(height, width),
      latin1('\0\x08\0\x03'),
      noise(random, 500),
    ]),
  'pdf document': () => latin1('%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF'),
  'svg drawing': () =>
    Buffer.from('<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
  'ppm image': (random) =>
    Buffer.concat([latin1(`P6\n${width} ${height}\n255\n`), noise(random, width * height * 3)]),
  'jp2 image': (random) => Buffer.concat([latin1('\0\0\0\x0cjP  \r\n\x87\n'), noise(random, 400)]),
  'jxl image': (random) => Buffer.concat([latin1('\xff\x0a'), noise(random, 400)]),
  'nef raw': (random) =>
    tiff({ ...grey, subfileType: 1, make: 'NIKON', below: sensor }, noise(random, width * height)),
  'arw raw': (random) =>
    tiff(
      { ...grey, subfileType: 1, make: 'SONY', below: { ...sensor, compression: 32767 } },
      noise(random, width * height),
    ),
  'dng raw': of({ subfileType: 1, make: 'Leica', dngVersion: [1, 4, 0, 0] }),
  'cr2 raw': (random) => Buffer.concat([latin1('II*\0\x10\0\0\0CR\x02\0'), noise(random, 300)]),
  'cr3 raw': (random) => Buffer.concat([box('ftyp', 'crx ', u32(1), 'crx isom'), noise(random, 300)]),
  'raf raw': (random) => Buffer.concat([latin1('FUJIFILMCCD-RAW 0201'), noise(random, 300)]),
  'tif float': of({ bits: 32, sampleFormat: 3 }),
  'tif double': of({ bits: 64, sampleFormat: 3, samples: 3, photometric: 2 }),
  'tif signed': of({ bits: 16, sampleFormat: 2 }),
  'tif 32-bit': of({ bits: 32 }),
  'tif 12-bit': of({ bits: 12, samples: 3, photometric: 2 }),
  'tif lab': of({ samples: 3, photometric: 8 }),
  'tif ycbcr': of({ samples: 3, photometric: 6 }),
  'tif zstd': of({ samples: 3, photometric: 2, compression: 50000 }),
  'tif many samples': of({ samples: 7 }),
}

/** Files that are not images. */
export const noImages: Record<string, Maker> = {
  'html page': () => Buffer.from('<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head></html>'),
  'xml error': () => Buffer.from('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'),
  'json document': (random) => Buffer.from(JSON.stringify({ labels: [random.next(), random.next()] })),
  'txt notes': (random) => Buffer.from('It rained all day.\n'.repeat(random.between(1, 60))),
  'txt lfs': () => Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1234\n'),
  'zip archive': (random) => Buffer.concat([latin1('PK\x03\x04'), deflateRawSync(noise(random, 300))]),
  'gz archive': (random) => gzipSync(noise(random, 300)),
  'mp4 video': (random) => Buffer.concat([box('ftyp', 'isom', u32(0), 'isommp42'), noise(random, 300)]),
  'bin zeros': (random) => Buffer.alloc(random.between(64, 9000)),
  'bin empty': () => Buffer.alloc(0),
  'bin noise': (random) => noise(random, random.between(8, 4000)),
  'bin program': (random) => Buffer.concat([latin1('\x7fELF\x02\x01'), noise(random, 300)]),
}
