import type { World } from './world'

/** The images of a batch: those below a prefix, or those on a list. */
export interface Selection {
  prefix: string
  manifest?: string
}

/** An event in a world. */
export interface ScenarioEvent {
  /** Milliseconds since the start. */
  at: number
  name: string
  happen(world: World): void
}

export const photos = 'photos/'
