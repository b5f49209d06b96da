/** What the structure of a file tells, without its pixels. */
export interface Structure {
  /** What of its coding is not decoded, for a sentence. */
  unsupported?: string
  /** Whether its end is there. */
  isWhole: boolean
}

const startOfScan = 0xffda
const endOfImage = Buffer.from([0xff, 0xd9])

/** Frames by their coding; tables for Huffman and arithmetic coding, and an extension, lie between their numbers. */
const isFrame = (marker: number): boolean =>
  marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker)
const jpegLs = 0xfff7

/** @param bytes that begin as JPEG does */
export function jpegStructure(bytes: Uint8Array): Structure {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let unsupported: string | undefined
  for (let at = 2; at + 5 <= view.byteLength; ) {
    const marker = view.getUint16(at)
    if (marker === startOfScan) return { unsupported, isWhole: endsBehind(bytes, at) }
    if (marker === jpegLs) unsupported = 'JPEG-LS coding'
    else if (isFrame(marker) && view.getUint8(at + 4) !== 8)
      unsupported = `${view.getUint8(at + 4)}-bit samples`
    // Decoders pass by any byte that lies before a marker.
    const isMarker = marker > 0xff00 && marker < 0xffff
    at += isMarker ? 2 + view.getUint16(at + 2) : 1
  }
  return { unsupported, isWhole: false }
}

/** A small image in EXIF has an end of its own, before the scan begins; what a scan holds cannot look like one. */
const endsBehind = (bytes: Uint8Array, scan: number): boolean =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).lastIndexOf(endOfImage) > scan
