/** A memory that grows, and never shrinks. */
export interface Memory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

/** A compiled program. */
export type Program = object

export interface Instance {
  exports: object
}

/** What Node.js has and its types for version 20 do not. */
interface WebAssemblyApi {
  Memory: new (pages: { initial: number }) => Memory
  Module: new (bytes: Uint8Array) => Program
  Instance: new (program: Program, imports: object) => Instance
}

export const webAssembly = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly
