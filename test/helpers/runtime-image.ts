import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const root = join(__dirname, '..', '..')

const folders: string[] = []
export const removeRuntimeImages = (): void => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
}

/**
 * Writes what the Dockerfile copies into an image, by the same script.
 * @param options options of scripts/write-runtime.ts
 * @returns the image's /whisklens
 */
export async function writeRuntimeImage(...options: string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'whisklens-image-'))
  folders.push(folder)
  const args = ['scripts/write-runtime.ts', join(folder, 'layers'), ...options]
  const env = { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') }
  await promisify(execFile)(process.execPath, ['--import', 'tsx', ...args], { cwd: root, env })
  const image = join(folder, 'whisklens')
  for (const layer of ['tensorflow', 'base', 'model', 'action']) {
    cpSync(join(folder, 'layers', layer), image, { recursive: true })
  }
  return image
}
