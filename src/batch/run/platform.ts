import type { Settings } from '../../config'
import type { Activation } from '../../openwhisk/activation'
import { addressOf, connect, type OpenWhisk } from '../../openwhisk/client'
import { openStore, type Store } from '../../storage/store'

/** What a batch runs on; the simulation in `bench/` scripts both. */
export interface Platform {
  store: Store
  /** Waits out throttling. */
  openwhisk: OpenWhisk
  /** Does not: a throttled dispatch tells the window to shrink. */
  impatient: OpenWhisk
}

/** The object store of the settings and the platform that runs the activation. */
export const platformOf = (settings: Settings, activation: Activation): Platform => ({
  store: openStore(settings),
  openwhisk: connect(addressOf(activation, settings)),
  impatient: connect(addressOf(activation, settings), 0),
})
