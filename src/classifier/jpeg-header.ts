import type { Metadata } from 'sharp'

/** Properties of an image needed before decoding. */
export type Header = Pick<Metadata, 'format' | 'width' | 'height' | 'channels' | 'space' | 'autoOrient'> &
  Partial<Metadata>

const startOfImage = 0xffd8
const baseline = 0xffc0
const startOfScan = 0xffda

/** Segments to skip: tables, restart interval, comment, and all application segments except EXIF, which may hold an orientation. */
const isSkipped = (marker: number): boolean =>
  [0xffc4, 0xffdb, 0xffdd, 0xfffe, 0xffe0].includes(marker) || (marker >= 0xffe2 && marker <= 0xffef)

/**
 * Parses the header of a plain JPEG: baseline, one scan, grey or three channels, without EXIF. Saves libvips from opening each image
 * twice.
 * @returns undefined for any other image; libvips then reads its header
 */
export function plainJpegHeader(bytes: Uint8Array): Header | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.byteLength < 4 || view.getUint16(0) !== startOfImage) return undefined
  let frame: Header | undefined
  for (let at = 2; at + 10 <= view.byteLength; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint16(at)
    if (marker === startOfScan)
      return view.getUint8(at + 4) === frame?.channels ? withProfile(frame, bytes.subarray(0, at)) : undefined
    if (marker === baseline && !frame) frame = frameAt(view, at + 4)
    else if (!isSkipped(marker)) return undefined
  }
  return undefined
}

/** Start of a profile in a single part. Multi-part profiles are larger than those of cameras. */
const profileStart = 'ICC_PROFILE\0\x01\x01'

function withProfile(frame: Header, bytes: Uint8Array): Header {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const at = head.indexOf(profileStart, 0, 'latin1')
  if (at < 2) return frame
  return { ...frame, icc: head.subarray(at + profileStart.length, at - 2 + head.readUInt16BE(at - 2)) }
}

function frameAt(view: DataView, at: number): Header | undefined {
  const [depth, height, width] = [view.getUint8(at), view.getUint16(at + 1), view.getUint16(at + 3)]
  const channels = view.getUint8(at + 5)
  if (depth !== 8 || height === 0 || width === 0 || (channels !== 1 && channels !== 3)) return undefined
  const space = channels === 3 ? 'srgb' : 'b-w'
  return { format: 'jpeg', width, height, channels, space, autoOrient: { width, height } }
}
