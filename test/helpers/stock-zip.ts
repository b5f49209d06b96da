import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(__dirname, '..', '..')

/** Why its native decoder cannot run here: it is built for OpenWhisk's image. */
export const stockMissing =
  (process.arch !== 'x64' || !existsSync(join(root, 'node_modules', '@img', 'sharp-linux-x64'))) &&
  'it needs Linux on x64'

export const stockZip = join(root, 'dist', 'stock', 'classify.zip')

/** Builds the zips of manifest.stock.yaml. @returns the zip of `classify` in base64 */
export function buildStock(): string {
  execFileSync(process.execPath, ['--import', 'tsx', join('scripts', 'build-stock.ts')], { cwd: root })
  return readFileSync(stockZip).toString('base64')
}
