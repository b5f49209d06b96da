import { parseArgs } from 'node:util'
import { makeStock } from '../src/cli/stock/make'

// Makes the zips of manifest.stock.yaml, as `whisklens deploy --stock` does where there are none.
// Usage: npx tsx scripts/build-stock.ts [--arch x64|arm64] [--engine onnx|wasm] [--model NAME]   (after scripts/build.ts)

async function main(): Promise<void> {
  const { arch, engine, model } = parseArgs({
    options: {
      arch: { type: 'string', default: 'x64' },
      engine: { type: 'string', default: 'onnx' },
      /** The name of a folder in models/. */
      model: { type: 'string' },
    },
  }).values
  if (engine !== 'onnx' && engine !== 'wasm')
    throw new Error(`No zip has the engine "${engine}": onnx or wasm`)
  if (arch !== 'x64' && arch !== 'arm64') throw new Error(`There is no image for "${arch}": x64 or arm64`)
  for (const [action, bytes] of Object.entries(await makeStock({ architecture: arch, engine, model })))
    process.stderr.write(
      `stock/${action}.zip ${(bytes / 1024 / 1024).toFixed(1)} MiB for ${arch}, ${engine}\n`,
    )
}

main().catch((thrown) => {
  process.stderr.write(`${thrown instanceof Error ? thrown.message : thrown}\n`)
  process.exitCode = 1
})
