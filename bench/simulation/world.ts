import { join } from 'node:path'
import { recordsPrefix } from '../../src/batch/state/layout'
import type { Limits } from '../../src/local/host/limits'
import { type ModelFolder, readModelFolder } from '../../src/models/folder'
import { readManifest } from '../../src/openwhisk/manifest'
import { homeFolder } from '../../src/paths'
import { actionsOf, type Speed } from './actions'
import { recordOf } from './classify'
import type { VirtualClock } from './clock'
import { Containers } from './containers'
import { Files } from './files'
import { imagesContents, infoOf } from './images'
import { type ScriptedAction, ScriptedOpenWhisk, type ScriptedPackage } from './openwhisk'
import { recordsContents } from './records'
import { buckets, type Storage } from './store'
import { Uploads } from './uploads'

/** What is simulated. Times are in milliseconds. */
export interface WorldOptions {
  images: number
  limits: Limits
  /** Of `classify`; there is no lack of others. */
  containers: number
  coldStart: number
  speed: Speed
  /** What a request takes, to the store or to the platform, and what the store takes for each megabyte. */
  delays: Storage['delays']
}

export interface World {
  storage: Storage
  openwhisk: ScriptedOpenWhisk
}

/** What the actions other than `classify` take for a cold start: they run on a stock image. */
const stockColdStart = 500

/**
 * Makes the buckets, and the platform as `manifest.yaml` deploys it.
 * @param folder for objects; the caller's to remove
 */
export async function createWorld(
  options: WorldOptions,
  clock: VirtualClock,
  folder: string,
): Promise<World> {
  const model = await readModelFolder('efficientnet-lite0')
  const storage = storageOf(options, model, clock, folder)
  const deployed: ScriptedPackage = { actions: {}, sequences: {}, rules: {} }
  const openwhisk = new ScriptedOpenWhisk(clock, options.limits, options.delays.request, deployed)
  const { speed } = options
  const openwhiskOf = openwhisk.client.bind(openwhisk)
  const mains = actionsOf({ clock, storage, model, speed, openwhiskOf })
  await deploy(deployed, mains, (name) =>
    name === 'classify'
      ? new Containers(clock, options.containers, options.coldStart)
      : new Containers(clock, Number.POSITIVE_INFINITY, stockColdStart),
  )
  return { storage, openwhisk }
}

function storageOf(
  { images, delays }: WorldOptions,
  model: ModelFolder,
  clock: VirtualClock,
  folder: string,
): Storage {
  const lastModified = new Date(clock.now - 24 * 3_600_000).toISOString()
  const files = new Files(folder)
  const remade = (number: number, at: number) =>
    recordOf(model, { bucket: buckets.images, ...infoOf(number, lastModified) }, { activationId: '0', at })
  return {
    clock,
    delays,
    requests: {},
    images: imagesContents(images, lastModified),
    records: recordsContents(images, recordsPrefix(model.version, buckets.images), remade),
    files,
    uploads: new Uploads(files),
  }
}

/** Fills a package with what the manifest says of the actions there is code for. */
async function deploy(
  { actions, sequences, rules }: ScriptedPackage,
  mains: Record<string, ScriptedAction['main']>,
  containersOf: (action: string) => Containers,
): Promise<void> {
  const { packages } = await readManifest(join(homeFolder(), 'manifest.yaml'), {})
  const manifest = packages.whisklens
  for (const [name, main] of Object.entries(mains)) {
    const { timeout = 60_000, memorySize: memory = 256 } = manifest?.actions[name]?.limits ?? {}
    actions[name] = { main, timeout, memory, containers: containersOf(name) }
  }
  for (const [name, sequence] of Object.entries(manifest?.sequences ?? {}))
    sequences[name] = sequence.actions.split(/, */)
  for (const { trigger, action } of Object.values(manifest?.rules ?? {})) rules[trigger] = action
}
