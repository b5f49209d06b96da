import { readFileSync, writeFileSync } from 'node:fs'

function status(name: string): number | undefined {
  try {
    const found = new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'))
    return found ? Number(found[1]) * 1024 : undefined
  } catch {
    return undefined
  }
}

/** Bytes of this process in physical memory now. */
export const residentBytes = (): number => status('VmRSS') ?? process.memoryUsage.rss()

/** Begins a new count of the peak. Where there is no /proc the peak is that of the process's life. */
export function resetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5')
  } catch {
    // Not Linux.
  }
}

/** The most bytes this process had in physical memory. */
export const peakBytes = (): number => status('VmHWM') ?? process.resourceUsage().maxRSS * 1024
