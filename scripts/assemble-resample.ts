import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import openWabt from 'wabt'

/*
 * Assembles src/classifier/resample/resample.wat into code.ts beside it.
 * Usage: npx tsx scripts/assemble-resample.ts
 */

const folder = join(__dirname, '..', 'src', 'classifier', 'resample')

/** @returns the content of code.ts */
export async function assembled(): Promise<string> {
  const wabt = await openWabt()
  const module = wabt.parseWat('resample.wat', await readFile(join(folder, 'resample.wat')), { simd: true })
  module.validate()
  const base64 = Buffer.from(module.toBinary({}).buffer).toString('base64')
  return `// resample.wat, assembled by scripts/assemble-resample.ts.\nexport const code =\n  '${base64}'\n`
}

if (require.main === module) void assembled().then((text) => writeFile(join(folder, 'code.ts'), text))
