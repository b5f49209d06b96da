import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findingsSchema } from '../../bench/findings'

const root = join(__dirname, '..', '..')

jest.setTimeout(600_000)

it('prints one JSON object with all figures, and lists what is missing', async () => {
  const { stdout } = await promisify(execFile)(
    'npm',
    ['run', '--silent', 'bench', '--', '--quick', '--json'],
    { cwd: root, maxBuffer: 64 * 1024 * 1024 },
  )
  const printed: unknown = JSON.parse(stdout)
  // The schema is strict.
  const found = findingsSchema.parse(printed)
  expect(Object.keys(found.ratios)).toEqual([
    'tfjsNodeVsOnnxruntime',
    'tfjsNodeVsSeed',
    'wasmVsSeed',
    'chunkVsInference',
    'largeVsSmallJpeg',
    'coldStart',
    'twoWorkers',
  ])
  const all = ['onnx', 'onnxruntime', 'seed-tfjs-node', 'seed-wasm', 'tfjs-node', 'wasm']
  expect([...Object.keys(found.contestants), ...Object.keys(found.skipped)].sort()).toEqual(all)
  const running = (...names: string[]) => names.every((name) => name in found.contestants)
  const { ratios } = found
  expect(ratios.tfjsNodeVsOnnxruntime !== null).toBe(running('tfjs-node', 'onnxruntime'))
  expect(ratios.tfjsNodeVsSeed !== null).toBe(running('tfjs-node', 'seed-tfjs-node'))
  expect(ratios.wasmVsSeed !== null).toBe(running('wasm', 'seed-wasm'))
  // WebAssembly is always available.
  expect(running('wasm')).toBe(true)
  expect([
    ratios.chunkVsInference,
    ratios.largeVsSmallJpeg,
    ratios.coldStart,
    ratios.twoWorkers,
  ]).not.toContain(null)
  for (const [name, { imagesPerSecond, ms, coldStart, agreement }] of Object.entries(found.contestants)) {
    const rounds = [imagesPerSecond.one, imagesPerSecond.two, ms.rounds, coldStart].map(
      ({ length }) => length,
    )
    expect({ name, rounds }).toEqual({ name, rounds: Array(4).fill(found.run.rounds) })
    // The same network agrees on nearly every photo; the seed has another network.
    if (name.startsWith('seed')) expect(agreement).toBeNull()
    else expect(agreement).toBeGreaterThanOrEqual(0.75)
  }
})
