import { findEngine } from '../src/classifier/engines'
import { tfjsNodeFolder } from '../src/classifier/engines/tensorflow'
import { peersFolder } from './peers'

/** A pipeline from image bytes to labels. */
export interface Contestant {
  what: string
  /** File in `contestants/`, and its arguments before the images. */
  script: 'whisklens' | 'seed' | 'onnxruntime'
  args: string[]
  /** Requirement. */
  needs?: 'peers' | 'tfjs-node'
}

/** Contestant that others are compared with. */
export const reference = 'wasm'

/** @param network ONNX file of the model */
export const contestantsWith = (network: string): Record<string, Contestant> => ({
  onnx: { what: 'Whisklens, engine onnx', script: 'whisklens', args: ['onnx'], needs: 'peers' },
  'tfjs-node': {
    what: 'Whisklens, engine tfjs-node',
    script: 'whisklens',
    args: ['tfjs-node'],
    needs: 'tfjs-node',
  },
  wasm: { what: 'Whisklens, engine wasm', script: 'whisklens', args: ['wasm'] },
  onnxruntime: {
    what: 'onnxruntime-node and sharp, the same network',
    script: 'onnxruntime',
    args: [network],
    needs: 'peers',
  },
  'seed-tfjs-node': {
    what: 'the seed on tfjs-node',
    script: 'seed',
    args: ['node', tfjsNodeFolder()],
    needs: 'tfjs-node',
  },
  'seed-wasm': {
    what: 'the seed on WebAssembly',
    script: 'seed',
    args: ['wasm', peersFolder()],
    needs: 'peers',
  },
})

/** Splits contestants into those that can run, and reasons why the others cannot. @param noPeers why there are no peers */
export function available(contestants: Record<string, Contestant>, noPeers: string | undefined) {
  const reasons = { peers: noPeers, 'tfjs-node': findEngine('tfjs-node').missing() }
  const reasonFor = ({ needs }: Contestant) => needs && reasons[needs]
  const all = Object.entries(contestants)
  return {
    running: Object.fromEntries(all.filter(([, one]) => !reasonFor(one))),
    skipped: Object.fromEntries(
      all.flatMap(([name, one]) => {
        const reason = reasonFor(one)
        return reason ? [[name, reason]] : []
      }),
    ),
  }
}
