import { spawnSync } from 'node:child_process'

/** Whether processes have groups. Windows has none, and each detached process would get a console window there. */
export const hasGroups = process.platform !== 'win32'

/**
 * Ends a process that leads a group, with all that it started; on Windows its tree, at once and whatever the signal.
 * What is gone already is no error.
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
