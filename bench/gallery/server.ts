import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const root = join(__dirname, '../..')

/** Last commit with the gallery of cards. */
const oldCommit = '986c120'

export interface Sizes {
  records: number
  thumbnails: number
  originals: number
}

/** Starts a checkout's gallery. @returns its URL, and a function that stops it */
export async function startServer({ records, thumbnails, originals }: Sizes, folder = root) {
  const program = join(folder, 'bench/gallery/serve.ts')
  const numbers = [records, thumbnails, originals].map(String)
  const args = ['--import', 'tsx', program, ...numbers]
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })
  const line = await Promise.race([once(lines, 'line'), exited.then(() => undefined)])
  if (!line) throw new Error('The gallery process exited before it was ready')
  return {
    url: String(line[0]),
    stop: async (): Promise<void> => {
      child.stdin.end()
      await exited
    },
  }
}

/** Starts the earlier gallery in its own worktree. */
export async function startOldServer(sizes: Omit<Sizes, 'thumbnails'>) {
  const folder = mkdtempSync(join(tmpdir(), 'whisklens-old-gallery-'))
  const git = (...args: string[]) => execFileSync('git', ['-C', root, ...args], { stdio: 'ignore' })
  git('worktree', 'add', '--detach', '--force', folder, oldCommit)
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true })
    git('worktree', 'prune')
  }
  try {
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    for (const path of ['bench/gallery/serve.ts', 'test/helpers/made-batch.ts'])
      cpSync(join(root, path), join(folder, path))
    const server = await startServer({ ...sizes, thumbnails: 0 }, folder)
    return { ...server, stop: () => server.stop().finally(remove) }
  } catch (thrown) {
    remove()
    throw thrown
  }
}
