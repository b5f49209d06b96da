import { readFileSync } from 'node:fs'
import { type Instance, type Program, webAssembly } from './web-assembly'

/** What is used of libheif-js: libheif's C interface, as Emscripten names it. */
export interface Heif {
  heif_context_alloc(): object
  heif_context_free(context: object): void
  heif_context_read_from_memory(context: object, bytes: Uint8Array): { code: Enumerated }
  heif_js_context_get_primary_image_handle(context: object): object | Failure
  heif_image_handle_get_width(handle: object): number
  heif_image_handle_get_height(handle: object): number
  heif_image_handle_has_alpha_channel(handle: object): number
  heif_image_handle_release(handle: object): void
  heif_js_decode_image2(
    handle: object,
    colours: Enumerated,
    chroma: Enumerated,
  ): Promise<HeifPixels | Failure> | HeifPixels | Failure
  heif_image_release(image: object): void
  heif_colorspace: { heif_colorspace_RGB: Enumerated }
  heif_chroma: { heif_chroma_interleaved_RGB: Enumerated; heif_chroma_interleaved_RGBA: Enumerated }
}

export interface Enumerated {
  value: number
}

export interface Failure {
  code: Enumerated
}

export interface HeifPixels {
  image: object
  /** The pixels lie in WebAssembly's memory, and are gone with the image. */
  channels: { width: number; height: number; stride: number; data: Uint8Array }[]
}

type Create = (options: object) => Heif

interface Library {
  create: Create
  program: Program
}

let library: Library | null | undefined

/** libheif with its decoder for HEVC, compiled; null where it is not installed. */
function loadLibrary(): Library | null {
  try {
    const create = require('libheif-js/libheif-wasm/libheif.js') as Create
    const program = readFileSync(require.resolve('libheif-js/libheif-wasm/libheif.wasm'))
    return { create, program: new webAssembly.Module(program) }
  } catch {
    return null
  }
}

/** Nothing of what it writes is for our output. */
const silent = { print: () => {}, printErr: () => {} }

/**
 * Opens libheif with a memory of its own, which goes with it: WebAssembly's memory never shrinks.
 * @returns undefined where libheif-js is not installed
 */
export function openHeif(): Heif | undefined {
  if (library === undefined) library = loadLibrary()
  if (!library) return undefined
  const { create, program } = library
  return create({
    ...silent,
    instantiateWasm: (imports: object, done: (instance: Instance) => void) => {
      const instance = new webAssembly.Instance(program, imports)
      done(instance)
      return instance.exports
    },
  })
}
