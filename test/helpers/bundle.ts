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

/** A script bundled like the actions, to run in its own process: inside Jest, memory figures include Jest's. */
export interface Bundle {
  /**
   * @param flags Node.js flags
   * @param timeout milliseconds; shorter than the test's, so that a hanging process is reported
   */
  run(args?: string[], env?: Record<string, string>, flags?: string[], timeout?: number): Promise<Finished>
  remove(): void
}

/** @param entry relative to the repository root @param changes overrides of the bundle options */
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
