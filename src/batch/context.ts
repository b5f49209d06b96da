import { systemClock } from '../clock'
import type { Settings } from '../config'
import type { Activation } from '../openwhisk/activation'
import { addressOf, connect } from '../openwhisk/client'
import { openStore } from '../storage/store'
import { openWebhook } from '../webhook/send'
import type { Context } from './state/platform'

/** The context of an activation: object store, platform client and system clock. */
export function contextOf(settings: Settings, activation: Activation): Context {
  const store = openStore(settings)
  return {
    clock: systemClock,
    random: Math.random,
    store,
    // The core retries by its own clock: a throttled dispatch must reach the window, which shrinks.
    openwhisk: connect(addressOf(activation, settings), 0),
    webhook: openWebhook(settings),
    results: store.bucket(settings.resultsBucket),
    settings,
    activation,
  }
}
