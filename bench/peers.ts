import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/*
 * Peers to compare with, installed when the benchmark runs, in a folder that `npm ci` does not touch.
 */

const packages = {
  '@tensorflow/tfjs': '4.22.0',
  '@tensorflow/tfjs-backend-wasm': '4.22.0',
  'onnxruntime-node': '1.30.0',
  sharp: '0.35.5',
}

export const peersFolder = (): string =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'whisklens', 'bench')

/**
 * Installs the peers if they are missing.
 * @returns why they could not be installed
 */
export async function installPeers(): Promise<string | undefined> {
  const folder = peersFolder()
  const manifest = `${JSON.stringify({ private: true, dependencies: packages }, null, 2)}\n`
  const [file, last] = [join(folder, 'package.json'), join(folder, 'node_modules', '.package-lock.json')]
  if (existsSync(last) && (await readFile(file, 'utf8')) === manifest) return undefined
  await mkdir(folder, { recursive: true })
  await writeFile(file, manifest)
  try {
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--silent']
    await promisify(execFile)('npm', ['install', ...options], { cwd: folder, timeout: 600_000 })
    return undefined
  } catch {
    return `npm install failed in ${folder}`
  }
}
