/** WebAssembly memory: grows, but never shrinks. */
export interface Memory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

/** A compiled module. */
export type Program = object

export interface Instance {
  exports: object
}

/** WebAssembly API missing in the types for Node.js 20. */
interface WebAssemblyApi {
  Memory: new (pages: { initial: number }) => Memory
  Module: new (bytes: Uint8Array) => Program
  Instance: new (program: Program, imports: object) => Instance
}

export const webAssembly = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly
