import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { missingFiles, type Packed } from './tarball'

// Builds and packs the npm package. npm's own packing scripts do not run with `ignore-scripts`.
// Usage: npm run pack [-- --to FOLDER]

const root = join(__dirname, '..')

function main(): void {
  const { to } = parseArgs({ options: { to: { type: 'string', default: root } } }).values
  execFileSync(process.execPath, ['--import', 'tsx', join('scripts', 'build.ts')], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  })
  const listed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', to], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [packed] = JSON.parse(listed) as [Packed]
  const file = join(to, packed.filename)
  const missing = missingFiles(packed)
  if (missing.length > 0) {
    rmSync(file)
    throw new Error(`Missing in the package: ${missing.join(', ')}`)
  }
  const { size, files } = packed
  process.stderr.write(`${(size / 1e6).toFixed(1)} MB, ${files.length} files\n`)
  process.stdout.write(`${file}\n`)
}

try {
  main()
} catch (thrown) {
  process.stderr.write(`error: ${thrown instanceof Error ? thrown.message : thrown}\n`)
  process.exitCode = 1
}
