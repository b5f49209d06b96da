import { readFileSync } from 'node:fs'
import { type Instance, type Program, webAssembly } from './web-assembly'

/** The API used of libheif-js: libheif's C interface as exported by Emscripten. */
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
  /** Pixels in WebAssembly memory, valid as long as the image. */
  channels: { width: number; height: number; stride: number; data: Uint8Array }[]
}

type Create = (options: object) => Heif

interface Library {
  create: Create
  program: Program
}

let library: Library | null | undefined

/** Compiled libheif with its HEVC decoder; null if it is not installed. */
function loadLibrary(): Library | null {
  try {
    const create = require('libheif-js/libheif-wasm/libheif.js') as Create
    const program = readFileSync(require.resolve('libheif-js/libheif-wasm/libheif.wasm'))
    return { create, program: new webAssembly.Module(program) }
  } catch {
    return null
  }
}

/** Suppresses libheif's output. */
const silent = { print: () => {}, printErr: () => {} }

/**
 * Creates an instance of libheif with its own memory, freed with it: WebAssembly memory never shrinks.
 * @returns undefined if libheif-js is not installed
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
