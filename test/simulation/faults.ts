import type { Random } from './random'

/** What may happen to a request to the object store. */
export const storeFaults = [
  /** The store refuses it: 503 for longer than the SDK repeats it. */
  'refused',
  /** No answer, and nothing was done. */
  'lost request',
  /** Done, and no answer. */
  'lost answer',
  /** Done, and the SDK, which got no answer, sends it once more a moment later. */
  'sent twice',
  /** No answer; it is done a good while later. */
  'landed late',
] as const

/** What may happen to a request to the platform. */
export const platformFaults = [
  'platform refused',
  'platform lost request',
  'platform lost answer',
  'platform landed late',
  /** The activation runs twice. */
  'run twice',
  /** It waits in a queue for minutes. */
  'run late',
  /** The platform has taken the invocation, and nothing ever comes of it. */
  'never run',
] as const

/** What may happen to a process, at any of its requests. */
export const processFaults = ['crash before', 'crash after', 'paused'] as const

export const faultKinds = [...storeFaults, ...platformFaults, ...processFaults] as const
export type StoreFault = (typeof storeFaults)[number]
export type PlatformFault = (typeof platformFaults)[number]
export type ProcessFault = (typeof processFaults)[number]
export type FaultKind = (typeof faultKinds)[number]

/** How likely each kind is at each request; kinds that are off are missing. */
export type FaultRates = Partial<Record<FaultKind, number>>

const rates = [0.002, 0.008, 0.03]
/** What costs minutes of virtual time each time. */
const rare: readonly FaultKind[] = ['never run', 'run late', 'paused', 'landed late', 'platform landed late']

/** What costs no more than a repetition, whoever it befalls: no process dies, and nothing is lost in the platform. */
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
 * A swarm: for each seed some kinds are off entirely, for what one kind hides another would find.
 * @param isCalm only what is repeated at once
 */
export function drawRates(random: Random, isCalm: boolean): FaultRates {
  const drawn: FaultRates = {}
  if (random.chance(0.1)) return drawn
  // A document is written once or twice in a turn: most answers that get lost are of other requests.
  if (isCalm && random.chance(0.5)) return { 'lost answer': random.pick([0.02, 0.08]) }
  const share = random.pick([0.15, 0.4, 0.7])
  for (const kind of isCalm ? brief : faultKinds) {
    const rate = random.pick(rates)
    if (random.chance(share)) drawn[kind] = rare.includes(kind) ? rate / 3 : rate
  }
  return drawn
}

/** Decides what fails, and counts it. */
export class Faults {
  readonly fired: Partial<Record<FaultKind, number>> = {}
  /** Nothing fails any more. */
  isHealed = false

  constructor(
    private readonly rates: FaultRates,
    private readonly random: Random,
  ) {}

  /** How often anything failed. */
  total(): number {
    return Object.values(this.fired).reduce((sum, times) => sum + times, 0)
  }

  /** @param kinds what may happen to this request @returns what does, if anything */
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
