import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { WhisklensError } from '../../errors'

/** Start time of a process, to detect reuse of its pid, common in containers. Empty without /proc. */
function startOf(pid: number): string {
  try {
    // Field 22. The second field, the command name in parentheses, may contain anything.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function holderOf(file: string): number | undefined {
  try {
    const [pid, start] = readFileSync(file, 'utf8').split(' ')
    const holder = Number(pid)
    return holder > 0 && isAlive(holder) && (start ?? '') === startOf(holder) ? holder : undefined
  } catch {
    return undefined
  }
}

/** Locks a folder for this process, taking over the lock of a dead one. @returns a function that releases it */
export function lockFolder(folder: string): () => void {
  const file = join(folder, 'lock')
  if (holderOf(file) === undefined) rmSync(file, { force: true })
  try {
    writeFileSync(file, `${process.pid} ${startOf(process.pid)}`, { flag: 'wx' })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
    throw new WhisklensError(
      'store_locked',
      `The object store in ${folder} is in use by process ${holderOf(file)}`,
      {
        hint: 'Stop that process, or use another data folder.',
        cause,
      },
    )
  }
  return () => rmSync(file, { force: true })
}
