import { jpegStructure, type Structure } from './jpeg-structure'
import type { Format } from './signature'

/*
 * Detects truncated files: decoders do not notice, because they do not read rows at the end that are not needed.
 */

/** Parses the structure of a file. @param bytes of that format */
export function structureOf(bytes: Uint8Array, format: Format): Structure {
  if (format === 'jpeg') return jpegStructure(bytes)
  return { isWhole: format !== 'png' || isWholePng(bytes) }
}

/** Length, type and checksum of a chunk. */
const aroundChunk = 12
const lastChunk = 0x49454e44

function isWholePng(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let at = 8; at + aroundChunk <= view.byteLength; at += aroundChunk + view.getUint32(at)) {
    if (view.getUint32(at + 4) === lastChunk) return true
  }
  return false
}
