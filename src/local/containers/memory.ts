import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Resident memory of a process, bytes; 0 if there is no such process, and on Windows, which has no ps. */
export function residentBytes(pid: number): number {
  if (process.platform === 'win32') return 0
  try {
    const kilobytes =
      process.platform === 'linux'
        ? /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
        : execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })
    return Number(kilobytes ?? 0) * 1024
  } catch {
    return 0
  }
}
