import type { Child } from '../processes'

/** A measurement that alternates with others in rounds. */
export interface Measurement<Found> {
  turn(round: number): Promise<void>
  found(): Promise<Found>
  stop(): Promise<void>
}

/** Rotates the order in each round, so that no contestant always follows the same one. */
export const inTurn = <T>(values: T[], round: number): T[] =>
  values.map((_, index) => values[(index + round) % values.length] as T)

export const stopAll = async (children: Child[]): Promise<void> => {
  await Promise.all(children.map((child) => child.stop()))
}
