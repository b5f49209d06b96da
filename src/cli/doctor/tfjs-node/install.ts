import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { WhisklensError } from '../../../errors'
import { compileAddon, targetOf } from './addon'
import { runStep } from './step'

/** tfjs-node with the sources of its addon, and the headers to compile it. */
const packages: Record<string, { version: string; integrity: string }> = {
  '@tensorflow/tfjs-node': {
    version: '4.22.0',
    integrity:
      'sha512-uHrXeUlfgkMxTZqHkESSV7zSdKdV0LlsBeblqkuKU9nnfxB1pC6DtoyYVaLxznzZy7WQSegjcohxxCjAf6Dc7w==',
  },
  'node-api-headers': {
    version: '1.9.0',
    integrity:
      'sha512-2oNILP4jXwRB4ywnYKjVk1YyJ96n2D4EOVJO6S3oYZ5PtbJrw3Yt9TpAuX3nBLMuzn74rnfGQrv13pS9vC+YiA==',
  },
}

/**
 * Installs tfjs-node for the engine `tfjs-node`; replaces an existing installation once all steps succeeded.
 * @param folder destination, replaced
 * @param onStep called as each step begins
 * @throws InvalidInputError on an unsupported platform, or without a compiler
 * @throws WhisklensError `install_failed` if a step fails
 */
export async function installTfjsNode(folder: string, onStep: (step: string) => void): Promise<void> {
  targetOf(process.arch)
  const fresh = `${folder}.new-${process.pid}`
  await mkdir(fresh, { recursive: true })
  try {
    onStep('Fetching tfjs-node with npm')
    await fetchPackages(fresh)
    await compileAddon(fresh, process.arch, onStep)
    await rm(folder, { recursive: true, force: true })
    await rename(fresh, folder)
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}

async function fetchPackages(folder: string): Promise<void> {
  await writeFile(join(folder, 'package.json'), '{"private": true}\n')
  const exact = Object.entries(packages).map(([name, { version }]) => `${name}@${version}`)
  // Its install script would download the binaries.
  await runStep(folder, 'npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...exact])
  const lock = JSON.parse(await readFile(join(folder, 'package-lock.json'), 'utf8'))
  for (const [name, { integrity }] of Object.entries(packages)) {
    const found = lock.packages[`node_modules/${name}`]?.integrity
    if (found !== integrity)
      throw new WhisklensError('install_failed', `${name} has an unexpected checksum: ${found}`)
  }
}
