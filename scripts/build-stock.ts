import { parseArgs } from 'node:util'
import { makeStock } from '../src/cli/stock/make'

// Builds the zips of manifest.stock.yaml, as `whisklens deploy --stock` does if they are missing.
// Usage: npx tsx scripts/build-stock.ts [--arch x64|arm64] [--engine onnx|wasm] [--model NAME]   (after scripts/build.ts)

async function main(): Promise<void> {
  const { arch, engine, model } = parseArgs({
    options: {
      arch: { type: 'string', default: 'x64' },
      engine: { type: 'string', default: 'onnx' },
      /** Name of a folder in models/. */
      model: { type: 'string' },
    },
  }).values
  if (engine !== 'onnx' && engine !== 'wasm')
    throw new Error(`Expected --engine to be onnx or wasm, got "${engine}"`)
  if (arch !== 'x64' && arch !== 'arm64') throw new Error(`Expected --arch to be x64 or arm64, got "${arch}"`)
  for (const [action, bytes] of Object.entries(await makeStock({ architecture: arch, engine, model })))
    process.stderr.write(
      `stock/${action}.zip ${(bytes / 1024 / 1024).toFixed(1)} MiB for ${arch}, ${engine}\n`,
    )
}

main().catch((thrown) => {
  process.stderr.write(`${thrown instanceof Error ? thrown.message : thrown}\n`)
  process.exitCode = 1
})
