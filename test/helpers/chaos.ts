import { execFileSync } from 'node:child_process'
import { type Faults, startChaosProxy } from './chaos-proxy'
import { clientsOf } from './clients'
import type { RunningLocal } from './local-mode'

export interface ChaosOptions {
  faults?: Faults
  /** Kill a container after every this many records: progress-based, so independent of the machine's speed. */
  recordsPerKill?: number
}

const noFaults: Faults = { unavailable: 0, cut: 0 }

/** Process ids of a local mode's action containers. */
function containersOf(local: RunningLocal): number[] {
  const rows = execFileSync('ps', ['-eo', 'pid,ppid,args']).toString().split('\n')
  return rows
    .map((row) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row))
    .filter((row) => row?.[2] === String(local.process.pid) && row[3]?.includes('runtime.cjs'))
    .map((row) => Number(row?.[1]))
}

/** @returns whether a container was killed */
function killOneContainer(local: RunningLocal): boolean {
  const running = containersOf(local)
  const victim = running[Math.floor(Math.random() * running.length)]
  try {
    return victim !== undefined && process.kill(victim, 'SIGKILL')
  } catch {
    // It had already exited.
    return false
  }
}

/** Injects store failures and container kills into a local mode. */
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
    /** Faults injected so far. */
    faults: () => ({ kills, ...proxy.counts }),
    /** Stops injecting faults. */
    calm(): void {
      killEvery = Number.POSITIVE_INFINITY
      Object.assign(proxy.faults, noFaults)
    },
    close: proxy.close,
  }
}
export type Chaos = Awaited<ReturnType<typeof startChaos>>
