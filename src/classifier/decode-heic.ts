import pLimit from 'p-limit'
import { collectGarbage } from './container-memory'
import { checkSize } from './decode-memory'
import { cropOf, scaledSize } from './geometry'
import { type Failure, type Heif, type HeifPixels, openHeif } from './heif-library'
import type { DecodedImage, InputSpec, RgbImage } from './image'
import { orientationOf } from './orientation'
import { corrupt, unsupported } from './refusal'
import { planOf, resample } from './resample/resample'

/** Each decode has its own WebAssembly memory, which V8 must collect before the next one. */
const serial = pLimit(1)

/** libheif applies the image's own rotation; EXIF's orientation must be ignored. */
const upright = orientationOf(1)

/** libheif error codes for unsupported rather than damaged images. */
const kindsNotDecoded = [3, 4]

/** Decodes HEIC with libheif (WebAssembly) to 8-bit RGB, transparency on white. */
export const decodeHeic = (bytes: Uint8Array, inputs: InputSpec[]): Promise<DecodedImage[]> =>
  serial(() => decodeNow(bytes, inputs).finally(collectGarbage))

async function decodeNow(bytes: Uint8Array, inputs: InputSpec[]): Promise<DecodedImage[]> {
  const start = performance.now()
  const heif = openHeif()
  if (!heif) {
    throw unsupported('a HEIC image', {
      without: 'libheif-js',
      hint: 'Install it (npm install libheif-js), or convert the image to JPEG, as phones do when they share a photo.',
    })
  }
  const image = await decode(heif, bytes)
  return inputs.map((input) => {
    const scaled = scaledSize(image, input)
    const cut = cropOf(scaled, input, upright)
    const pixels = resample(image, planOf(image, { scaled, region: cut, kernel: input.kernel }))
    return {
      pixels,
      rows: cut.height,
      columns: cut.width,
      width: image.width,
      height: image.height,
      format: 'heic',
      profile: profileIn(bytes),
      ms: performance.now() - start,
    }
  })
}

async function decode(heif: Heif, bytes: Uint8Array): Promise<RgbImage> {
  const context = heif.heif_context_alloc()
  const read = heif.heif_context_read_from_memory(context, bytes)
  if (read.code.value !== 0) return refuse(read)
  const handle = heif.heif_js_context_get_primary_image_handle(context)
  if (isFailure(handle)) return refuse(handle)
  const [width, height] = [
    heif.heif_image_handle_get_width(handle),
    heif.heif_image_handle_get_height(handle),
  ]
  const channels = heif.heif_image_handle_has_alpha_channel(handle) ? 4 : 3
  const isPlain = channels === 3 && isPlainHevc(bytes)
  checkSize({ format: 'heic', autoOrient: { width, height }, isPlain })
  const { heif_chroma_interleaved_RGB: rgb, heif_chroma_interleaved_RGBA: rgba } = heif.heif_chroma
  const decoded = await heif.heif_js_decode_image2(
    handle,
    heif.heif_colorspace.heif_colorspace_RGB,
    channels === 4 ? rgba : rgb,
  )
  return isFailure(decoded) ? refuse(decoded) : packed(decoded, channels)
}

/** HEVC and colour descriptions are near the start of the file, in the second box. */
const searchedBytes = 1 << 16

/** The ICC profile: content of a `colr` box of type `prof`. */
function profileIn(bytes: Uint8Array): Uint8Array | undefined {
  const head = headOf(bytes)
  const at = head.indexOf('colrprof')
  return at < 4 ? undefined : head.subarray(at + 8, at - 4 + head.readUInt32BE(at - 4))
}

const headOf = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, searchedBytes))

/** Whether all streams are 8-bit 4:2:0 or 4:0:0, from bytes 17 and 18 of their hvcC boxes. */
function isPlainHevc(bytes: Uint8Array): boolean {
  const streams = headOf(bytes)
    .toString('latin1')
    .matchAll(/hvcC.{16}(.)(.)/gs)
  return [...streams].every(([, chroma = '', depth = '']) => {
    return (chroma.charCodeAt(0) & 3) < 2 && (depth.charCodeAt(0) & 7) === 0
  })
}

const isFailure = (answer: object | Failure): answer is Failure => 'code' in answer

function refuse({ code }: Failure): never {
  throw kindsNotDecoded.includes(code.value)
    ? unsupported('a HEIC image of a kind that is rare')
    : corrupt('heic')
}

/** Packs rows without gaps, on white, in place: libheif's memory is not used again. */
function packed({ channels: [plane] }: HeifPixels, channels: number): RgbImage {
  if (!plane) throw corrupt('heic')
  const { width, height, stride, data } = plane
  for (let y = 0; y < height; y++) {
    const [from, to] = [y * stride, y * width * 3]
    if (channels === 3) data.copyWithin(to, from, from + width * 3)
    else flatten(data, from, to, width)
  }
  return { width, height, data: data.subarray(0, width * height * 3) }
}

/** Converts a row from RGBA to RGB on white. */
function flatten(data: Uint8Array, from: number, to: number, width: number): void {
  for (let x = 0; x < width; x++) {
    const alpha = data[from + x * 4 + 3] as number
    for (let channel = 0; channel < 3; channel++) {
      const value = data[from + x * 4 + channel] as number
      data[to + x * 3 + channel] = Math.round((value * alpha) / 255 + 255 - alpha)
    }
  }
}
