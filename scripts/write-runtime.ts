import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Architecture, onnxFiles, runtimeFiles } from './runtime-files'

// Writes what the runtime image carries beside the actions' bundles. Run by the Dockerfile.
// Usage: npx tsx scripts/write-runtime.ts <folder> [--arch x64|arm64] [--onnx]

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      arch: { type: 'string', default: process.arch },
      /** With ONNX Runtime, which has to be installed: npm install --no-save onnxruntime-node@1.30.0 */
      onnx: { type: 'boolean', default: false },
    },
  })
  const [folder] = positionals
  if (folder === undefined) throw new Error('Expected the folder to write to')
  const arch = values.arch as Architecture
  const files = { ...(await runtimeFiles(arch)), ...(values.onnx && (await onnxFiles(arch))) }
  for (const [name, bytes] of Object.entries(files)) {
    const path = join(folder, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, bytes)
  }
}

main().catch((thrown) => {
  process.stderr.write(`${thrown instanceof Error ? thrown.message : thrown}\n`)
  process.exitCode = 1
})
