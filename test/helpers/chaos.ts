import { execFileSync } from 'node:child_process'
import { type Faults, startChaosProxy } from './chaos-proxy'
import { clientsOf } from './clients'
import type { RunningLocal } from './local-mode'

export interface ChaosOptions {
  faults?: Faults
  /** A container dies each time so many records are written: by progress, not by time, whatever the machine's speed. */
  recordsPerKill?: number
}

const noFaults: Faults = { unavailable: 0, cut: 0 }

/** Process ids of the action containers below a local mode. */
function containersOf(local: RunningLocal): number[] {
  const rows = execFileSync('ps', ['-eo', 'pid,ppid,args']).toString().split('\n')
  return rows
    .map((row) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row))
    .filter((row) => row?.[2] === String(local.process.pid) && row[3]?.includes('runtime.cjs'))
    .map((row) => Number(row?.[1]))
}

/** @returns whether there was a container to be killed */
function killOneContainer(local: RunningLocal): boolean {
  const running = containersOf(local)
  const victim = running[Math.floor(Math.random() * running.length)]
  try {
    return victim !== undefined && process.kill(victim, 'SIGKILL')
  } catch {
    // It ended by itself.
    return false
  }
}

/** Lets the store that the actions of a local mode see fail, and their containers die. */
export async function startChaos(local: RunningLocal, { faults = noFaults, recordsPerKill }: ChaosOptions) {
  let killEvery = recordsPerKill ?? Number.POSITIVE_INFINITY
  let written = 0
  let kills = 0
  const proxy = await startChaosProxy(local.connection.s3.endpoint, { ...faults }, (line) => {
    if (!line.startsWith('PUT /results/images/')) return
    if (++written % killEvery === 0 && killOneContainer(local)) kills++
  })
  await clientsOf(local.connection).putStoreAt(proxy.endpoint)
  return {
    /** What was done so far. */
    told: () => ({ kills, ...proxy.counts }),
    /** From now on nothing happens. */
    calm(): void {
      killEvery = Number.POSITIVE_INFINITY
      Object.assign(proxy.faults, noFaults)
    },
    close: proxy.close,
  }
}
export type Chaos = Awaited<ReturnType<typeof startChaos>>
