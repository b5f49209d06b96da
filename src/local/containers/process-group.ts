import { spawnSync } from 'node:child_process'

/** Whether processes have groups. Not on Windows, where a detached process would also open a console window. */
export const hasGroups = process.platform !== 'win32'

/**
 * Signals a process group by its leader. On Windows, kills the process tree regardless of the signal. Ignores processes that
 * have already ended.
 */
export function signalGroup(pid: number, signal: NodeJS.Signals, withGroups = hasGroups): void {
  if (!withGroups) {
    spawnSync('taskkill', ['/pid', String(pid), '/t', '/f'], {
      env: process.env,
      stdio: 'ignore',
      windowsHide: true,
    })
    return
  }
  try {
    process.kill(-pid, signal)
  } catch {
    // Already gone.
  }
}
