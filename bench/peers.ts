import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/*
 * What the benchmark compares with is fetched when it is run, and kept where `npm ci` leaves it alone.
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
 * Installs the peers unless they are there.
 * @returns why they are not; undefined when they are
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
