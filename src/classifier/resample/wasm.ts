import { type Memory, webAssembly } from '../web-assembly'
import { code } from './code'

/** Functions of resample.wat. Positions are byte offsets. */
export interface Resampler {
  memory: Memory
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

export function instantiate(): Resampler {
  const { Memory, Module, Instance } = webAssembly
  const memory = new Memory({ initial: 1 })
  const { exports } = new Instance(new Module(Buffer.from(code, 'base64')), { env: { memory } })
  return { memory, ...(exports as Omit<Resampler, 'memory'>) }
}
