import { jpegStructure, type Structure } from './jpeg-structure'
import type { Format } from './signature'

/*
 * Rows at the end of an image that are not needed are not read, and so no decoder would miss them.
 */

/** What of a file its structure tells. @param bytes that begin as the format does */
export function structureOf(bytes: Uint8Array, format: Format): Structure {
  if (format === 'jpeg') return jpegStructure(bytes)
  return { isWhole: format !== 'png' || isWholePng(bytes) }
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
