import type { Random } from './random'

/** Faults of requests to the object store. */
export const storeFaults = [
  /** 503 for longer than the SDK retries. */
  'refused',
  /** No effect, no response. */
  'lost request',
  /** Takes effect, but the response is lost. */
  'lost answer',
  /** Takes effect, the response is lost, and the SDK retries a moment later. */
  'sent twice',
  /** No response; takes effect much later. */
  'landed late',
] as const

/** Faults of requests to the platform. */
export const platformFaults = [
  'platform refused',
  'platform lost request',
  'platform lost answer',
  'platform landed late',
  /** The activation runs twice. */
  'run twice',
  /** The activation is queued for minutes. */
  'run late',
  /** The invocation is accepted but never runs. */
  'never run',
] as const

/** Faults of a process, at any of its requests. */
export const processFaults = ['crash before', 'crash after', 'paused'] as const

export const faultKinds = [...storeFaults, ...platformFaults, ...processFaults] as const
export type StoreFault = (typeof storeFaults)[number]
export type PlatformFault = (typeof platformFaults)[number]
export type ProcessFault = (typeof processFaults)[number]
export type FaultKind = (typeof faultKinds)[number]

/** Probability of each fault per request; disabled ones are absent. */
export type FaultRates = Partial<Record<FaultKind, number>>

const rates = [0.002, 0.008, 0.03]
/** Faults that cost minutes of virtual time. */
const rare: readonly FaultKind[] = ['never run', 'run late', 'paused', 'landed late', 'platform landed late']

/** Faults that cost only a retry: no process dies, and the platform loses nothing. */
const brief: readonly FaultKind[] = [
  'refused',
  'lost request',
  'lost answer',
  'sent twice',
  'platform refused',
  'platform lost request',
  'platform lost answer',
]

/**
 * Swarm testing: each seed disables some kinds of faults, because one may mask another.
 * @param isCalm only faults that are retried at once
 */
export function drawRates(random: Random, isCalm: boolean): FaultRates {
  const drawn: FaultRates = {}
  if (random.chance(0.1)) return drawn
  // A turn writes the document only once or twice, so most lost responses belong to other requests.
  if (isCalm && random.chance(0.5)) return { 'lost answer': random.pick([0.02, 0.08]) }
  const share = random.pick([0.15, 0.4, 0.7])
  for (const kind of isCalm ? brief : faultKinds) {
    const rate = random.pick(rates)
    if (random.chance(share)) drawn[kind] = rare.includes(kind) ? rate / 3 : rate
  }
  return drawn
}

/** Draws faults and counts them. */
export class Faults {
  readonly fired: Partial<Record<FaultKind, number>> = {}
  /** No further faults. */
  isHealed = false

  constructor(
    private readonly rates: FaultRates,
    private readonly random: Random,
  ) {}

  /** Total number of faults. */
  total(): number {
    return Object.values(this.fired).reduce((sum, times) => sum + times, 0)
  }

  /** @param kinds possible for this request @returns the fault, if any */
  draw<K extends FaultKind>(kinds: readonly K[]): K | undefined {
    if (this.isHealed) return undefined
    let number = this.random.next()
    for (const kind of kinds) {
      const rate = this.rates[kind] ?? 0
      if (number < rate) {
        this.fired[kind] = (this.fired[kind] ?? 0) + 1
        return kind
      }
      number -= rate
    }
    return undefined
  }
}
