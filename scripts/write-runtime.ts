import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Architecture, runtimeFiles } from './runtime-files'

// Writes what the runtime image carries beside the actions' bundles. Run by the Dockerfile.
// Usage: npx tsx scripts/write-runtime.ts <folder> [--arch x64|arm64]

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { arch: { type: 'string', default: process.arch } },
  })
  const [folder] = positionals
  if (folder === undefined) throw new Error('Expected the folder to write to')
  for (const [name, bytes] of Object.entries(await runtimeFiles(values.arch as Architecture))) {
    const path = join(folder, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, bytes)
  }
}

main().catch((thrown) => {
  process.stderr.write(`${thrown instanceof Error ? thrown.message : thrown}\n`)
  process.exitCode = 1
})
