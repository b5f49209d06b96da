import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { unzipSync, type Zippable, zipSync } from 'fflate'
import { type Architecture, classifying, stockFiles } from './runtime-files'
import { zipDate } from './zip-date'

/*
 * Builds the zips of manifest.stock.yaml, for OpenWhisk's own Node.js image: each holds its action's bundle with a
 * model, what runs it, and sharp. The same input gives the same bytes.
 * Usage: npx tsx scripts/build-stock.ts [--arch x64|arm64] [--engine onnx|wasm] [--model NAME]   (after scripts/build.ts)
 */

/** OpenWhisk takes 48 MiB of code, and base64 makes four bytes of three. */
const mostBytes = 35.9 * 1024 * 1024

/** Weights would lose a fourteenth, and every cold start as much time as for unpacking all else. */
const isWeights = (name: string): boolean => /\.(bin|onnx)$/.test(name)
const stored = { level: 0 } as const

const dist = join(__dirname, '..', 'dist')

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
  const runtime = await stockFiles(arch as Architecture, engine, model)
  await mkdir(join(dist, 'stock'), { recursive: true })
  for (const action of classifying) {
    const bundle = unzipSync(await readFile(join(dist, 'actions', `${action}.zip`)))
    const files: Zippable = { ...bundle }
    for (const [name, bytes] of Object.entries(runtime))
      files[name] = isWeights(name) ? [bytes, stored] : bytes
    const zip = zipSync(files, { level: 9, mtime: zipDate })
    if (zip.length > mostBytes)
      throw new Error(`${action}.zip is ${zip.length} bytes, more than OpenWhisk takes`)
    const path = join(dist, 'stock', `${action}.zip`)
    await writeFile(`${path}.new`, zip)
    await rename(`${path}.new`, path)
    process.stderr.write(
      `stock/${action}.zip ${(zip.length / 1024 / 1024).toFixed(1)} MiB for ${arch}, ${engine}\n`,
    )
  }
}

main().catch((thrown) => {
  process.stderr.write(`${thrown instanceof Error ? thrown.message : thrown}\n`)
  process.exitCode = 1
})
