import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Plugin } from 'esbuild'
import { type Bundle, bundle } from '../helpers/bundle'

/** Runs a program of the simulation in processes of their own: all cores, and twice as fast as inside of Jest. */
export interface Runner {
  /** @returns what each of them printed last, as JSON @throws Error with what a process wrote to stderr */
  run<T>(args: (worker: number, workers: number) => (string | number)[]): Promise<T[]>
  close(): void
}

/** A module that takes the place of another one, which it wraps. Both without `.ts`, from the repository's root. */
export interface Planted {
  module: string
  by: string
}

/** A hundred thousand seeds take their time, milliseconds. */
const longest = 4 * 3_600_000

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
  // Names of functions are worth a fifth of the time.
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
            // Little of what a seed makes outlives it: a large nursery saves a tenth of the time.
            ['--max-semi-space-size=64'],
            longest,
          )
          if (exitCode !== 0) throw new Error(stderr || stdout)
          return JSON.parse(stdout)
        }),
      ),
    close: () => made.remove(),
  }
}
