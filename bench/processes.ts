import { fork } from 'node:child_process'
import { once } from 'node:events'
import { delimiter, join } from 'node:path'
import { build } from 'esbuild'
import { peersFolder } from './peers'

export const root = join(__dirname, '..')

/** A child process that runs tasks. */
export interface Child {
  /** @throws Error with the child's stack if the task fails */
  ask<T = unknown>(task: string, args?: unknown): Promise<T>
  /** Milliseconds from its start until it was ready. */
  readyAfter: number
  stop(): Promise<void>
}

/** Bundles scripts of `contestants/` as actions are bundled. @param outdir receives `<name>.js` for each */
export async function bundleScripts(names: string[], outdir: string): Promise<void> {
  await build({
    entryPoints: names.map((name) => join(__dirname, 'contestants', `${name}.ts`)),
    outdir,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external: ['sharp', 'onnxruntime-node'],
    minifySyntax: true,
    minifyWhitespace: true,
    logLevel: 'warning',
  })
}

/** Start options of a process. */
export interface Start {
  environment: Record<string, string>
  /** Options of Node.js. */
  options: string[]
}

/** Starts a bundled script and waits until it is ready. */
export async function startChild(
  script: string,
  args: string[],
  { environment, options }: Start = { environment: {}, options: [] },
): Promise<Child> {
  const NODE_PATH = [root, peersFolder()].map((folder) => join(folder, 'node_modules')).join(delimiter)
  const began = performance.now()
  const child = fork(script, args, {
    execArgv: options,
    env: { ...process.env, WHISKLENS_HOME: root, NODE_PATH, ...environment },
    // Keep stdout for the results.
    stdio: ['ignore', process.stderr, process.stderr, 'ipc'],
  })
  const exited = once(child, 'exit')
  const answer = async () => {
    const died = exited.then(([code]) => Promise.reject(new Error(`${script} exited with code ${code}`)))
    const [{ value, error }] = await Promise.race([once(child, 'message'), died])
    if (error) throw new Error(error)
    return value
  }
  await answer()
  return {
    readyAfter: performance.now() - began,
    ask: async (task, args) => {
      child.send({ task, args })
      return answer()
    },
    stop: async () => {
      child.kill()
      await exited
    },
  }
}
