import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { WhisklensError } from '../../errors'

/** Tells a process from a later one of the same pid, which is common in containers. Empty where there is no /proc. */
function startOf(pid: number): string {
  try {
    // Field 22; the second field, the command's name, is in parentheses and may hold anything.
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

/** Makes this process the only one to use `folder`; returns what gives it free. The lock of a dead process is taken over. */
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
        hint: 'Stop that process, or give this one a data folder of its own.',
        cause,
      },
    )
  }
  return () => rmSync(file, { force: true })
}
