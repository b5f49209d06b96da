import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Plugin } from 'esbuild'
import { type Bundle, bundle } from '../helpers/bundle'

/** Runs a simulation program in separate processes, on all cores: twice as fast as inside Jest. */
export interface Runner {
  /** @returns each process's output, parsed as JSON @throws Error with the stderr of a failed process */
  run<T>(args: (worker: number, workers: number) => (string | number)[]): Promise<T[]>
  close(): void
}

/** A module that replaces and wraps another. Paths without `.ts`, relative to the repository. */
export interface Planted {
  module: string
  by: string
}

/** A hundred thousand seeds take long. Milliseconds. */
const maxTime = 4 * 3_600_000

const root = join(__dirname, '..', '..')

const planting = ({ module, by }: Planted): Plugin => ({
  name: 'planted',
  setup: ({ onResolve }) => {
    const [original, planted] = [join(root, module), join(root, by)]
    onResolve({ filter: /^\./ }, ({ path, importer, resolveDir }) =>
      join(resolveDir, path) === original && importer !== `${planted}.ts`
        ? { path: `${planted}.ts` }
        : undefined,
    )
  },
})

export async function openRunner(program: string, planted?: Planted): Promise<Runner> {
  // Keeping function names costs a fifth of the time.
  const made: Bundle = await bundle(`test/simulation/${program}`, {
    keepNames: false,
    plugins: planted ? [planting(planted)] : [],
  })
  const workers = Math.max(1, availableParallelism())
  return {
    run: (args) =>
      Promise.all(
        Array.from({ length: workers }, async (_, worker) => {
          const { exitCode, stdout, stderr } = await made.run(
            args(worker, workers).map(String),
            {},
            // Few objects outlive a seed: a large nursery saves a tenth of the time.
            ['--max-semi-space-size=64'],
            maxTime,
          )
          if (exitCode !== 0) throw new Error(stderr || stdout)
          return JSON.parse(stdout)
        }),
      ),
    close: () => made.remove(),
  }
}
