import type { Format } from './signature'

/*
 * Rows at the end of an image that are not needed are not read, and so no decoder would miss them.
 */

/** Whether a file has its end, as far as its structure tells. @param bytes that begin as the format does */
export function isWhole(bytes: Uint8Array, format: Format): boolean {
  if (format === 'png') return isWholePng(bytes)
  return format !== 'jpeg' || isWholeJpeg(bytes)
}

/** A chunk's length, type and checksum. */
const aroundChunk = 12
const lastChunk = 0x49454e44

function isWholePng(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let at = 8; at + aroundChunk <= view.byteLength; at += aroundChunk + view.getUint32(at)) {
    if (view.getUint32(at + 4) === lastChunk) return true
  }
  return false
}

const startOfScan = 0xffda
const endOfImage = Buffer.from([0xff, 0xd9])

/** A small image in EXIF has an end of its own, before the scan begins; what a scan holds cannot look like one. */
function isWholeJpeg(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let at = 2; at + 4 <= view.byteLength; ) {
    const marker = view.getUint16(at)
    if (marker === startOfScan)
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).lastIndexOf(endOfImage) > at
    // Bytes of 0xff may fill up what lies before a marker.
    at += marker === 0xffff ? 1 : 2 + view.getUint16(at + 2)
  }
  return false
}
