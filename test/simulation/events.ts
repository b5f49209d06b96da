import type { World } from './world'

/** The images that a batch is about: those below a prefix, or of them those of a list. */
export interface About {
  prefix: string
  manifest?: string
}

/** Something that happens to a world. */
export interface ScenarioEvent {
  /** Milliseconds after the beginning. */
  at: number
  name: string
  happen(world: World): void
}

export const photos = 'photos/'
