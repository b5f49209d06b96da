import { code } from './code'

/** The functions of resample.wat. All positions are bytes in memory. */
export interface Resampler {
  /** It grows, and never shrinks. */
  memory: { readonly buffer: ArrayBuffer; grow(pages: number): number }
  narrow(
    from: number,
    stride: number,
    rows: number,
    starts: number,
    weights: number,
    pairs: number,
    width: number,
    to: number,
  ): void
  blend(from: number, stride: number, weights: number, pairs: number, bytes: number, to: number): void
}

/** What Node.js has and its types for version 20 do not. */
interface WebAssemblyApi {
  Memory: new (pages: { initial: number }) => Resampler['memory']
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object, imports: object) => { exports: object }
}

export function instantiate(): Resampler {
  const { Memory, Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly
  const memory = new Memory({ initial: 1 })
  const { exports } = new Instance(new Module(Buffer.from(code, 'base64')), { env: { memory } })
  return { memory, ...(exports as Omit<Resampler, 'memory'>) }
}
