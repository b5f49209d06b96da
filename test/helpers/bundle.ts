import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BuildOptions, build } from 'esbuild'

const root = join(__dirname, '..', '..')

export interface Finished {
  exitCode: number
  stdout: string
  stderr: string
}

/** A script bundled as the actions are, to be run in processes of its own: Jest's memory is not the product's. */
export interface Bundle {
  /** @param flags for Node itself @param timeout milliseconds; one that hangs ends before its test does */
  run(args?: string[], env?: Record<string, string>, flags?: string[], timeout?: number): Promise<Finished>
  remove(): void
}

/** @param entry relative to the repository's root @param changes to the way it is bundled */
export async function bundle(entry: string, changes: BuildOptions = {}): Promise<Bundle> {
  const folder = mkdtempSync(join(tmpdir(), 'whisklens-bundle-'))
  const outfile = join(folder, 'index.js')
  await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external: ['sharp', 'libheif-js'],
    minifySyntax: true,
    minifyWhitespace: true,
    keepNames: true,
    logLevel: 'warning',
    ...changes,
  })
  return {
    run: (args = [], env = {}, flags = [], timeout = 110_000) =>
      run([...flags, outfile, ...args], env, timeout),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function run(args: string[], env: Record<string, string>, timeout: number): Promise<Finished> {
  const { WHISKLENS_LOG_LEVEL: _, ...inherited } = process.env
  const found = { WHISKLENS_HOME: root, NODE_PATH: join(root, 'node_modules') }
  const options = { env: { ...inherited, ...found, ...env }, maxBuffer: 64 * 1024 * 1024, timeout }
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, options, (_error, stdout, stderr) =>
      resolve({ exitCode: child.exitCode ?? -1, stdout, stderr }),
    )
  })
}
