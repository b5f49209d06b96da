import type { Child } from '../processes'

/** Something that is measured round by round, in turns with the others. */
export interface Measurement<Found> {
  turn(round: number): Promise<void>
  found(): Promise<Found>
  stop(): Promise<void>
}

/** Begins with another one in each round, so that nobody always comes after the same neighbour. */
export const inTurn = <T>(values: T[], round: number): T[] =>
  values.map((_, index) => values[(index + round) % values.length] as T)

export const stopAll = async (children: Child[]): Promise<void> => {
  await Promise.all(children.map((child) => child.stop()))
}
