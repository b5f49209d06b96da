/** Structure of a file, without its pixels. */
export interface Structure {
  /** Unsupported coding, for an error message. */
  unsupported?: string
  /** Whether the file has its end marker. */
  isWhole: boolean
}

const startOfScan = 0xffda
const endOfImage = Buffer.from([0xff, 0xd9])

/** Frame markers; Huffman and arithmetic tables and an extension have numbers in between. */
const isFrame = (marker: number): boolean =>
  marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker)
const jpegLs = 0xfff7

/** @param bytes of a JPEG file */
export function jpegStructure(bytes: Uint8Array): Structure {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let unsupported: string | undefined
  for (let at = 2; at + 5 <= view.byteLength; ) {
    const marker = view.getUint16(at)
    if (marker === startOfScan) return { unsupported, isWhole: endsBehind(bytes, at) }
    if (marker === jpegLs) unsupported = 'JPEG-LS coding'
    else if (isFrame(marker) && view.getUint8(at + 4) !== 8)
      unsupported = `${view.getUint8(at + 4)}-bit samples`
    // Decoders skip bytes before a marker.
    const isMarker = marker > 0xff00 && marker < 0xffff
    at += isMarker ? 2 + view.getUint16(at + 2) : 1
  }
  return { unsupported, isWhole: false }
}

/** Whether an end marker follows the scan. An EXIF thumbnail has its own before it; scan data cannot contain one. */
const endsBehind = (bytes: Uint8Array, scan: number): boolean =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).lastIndexOf(endOfImage) > scan
