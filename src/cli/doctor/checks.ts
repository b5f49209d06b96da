import { join } from 'node:path'
import { dependencies as packages } from '../../../runtime/package.json'
import { modelFor } from '../../classifier/default-model'
import { findEngine } from '../../classifier/engines'
import { type EngineName, engineNames } from '../../classifier/engines/names'
import { enginesOf } from '../../classifier/tasks'
import { openPool } from '../../library/classify/pool'
import { readModelFolder } from '../../model-folder/folder'
import { homeFolder } from '../../paths'
import { readRefusals } from '../../storage/refusals'
import { type Connection, needStore } from '../shared/connection'
import { checkCors } from './cors'
import { absent, type Check, type Finding, failed, ok } from './finding'
import { openWhiskChecks } from './openwhisk'

const node = (): Check => ok(`${process.version} on ${process.platform} ${process.arch}`)

async function decoder(): Promise<Check> {
  // Loaded on demand; other commands do not need it.
  const { sharp } = await import('../../classifier/decode-sharp')
  if (sharp) return ok(`sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}`)
  const detail = 'sharp is not installed: only JPEG can be decoded'
  return { state: 'failed', detail, hint: 'Install it: npm install sharp' }
}

async function model({ settings }: Connection): Promise<Check> {
  const { version, classes, description } = await readModelFolder(modelFor(settings.model, settings.engine))
  return ok(`${version}, ${classes.length} classes, ${description.license}`)
}

/** Packages available to your own actions in the runtime image, if it is built from this version. */
function runtimeImage({ settings }: Connection): Check {
  const contents = Object.entries(packages).map((each) => each.join(' '))
  return ok(`${settings.runtimeImage}; built from this version, it has ${contents.join(', ')}`)
}

/** Classifies a sample photo in a worker. */
async function engine(name: EngineName, { settings }: Connection): Promise<Check> {
  const hint = findEngine(name).missing()
  if (hint && settings.engine !== name) return absent(`The engine "${name}" is not installed`, hint)
  const modelName = modelFor(settings.model, name)
  const { version, ...model } = await readModelFolder(modelName)
  if (settings.engine !== name && !enginesOf(model).includes(name))
    return absent(`The model ${version} has no file for this engine`, `whisklens model info ${modelName}`)
  const pool = openPool(join(__dirname, 'classify-worker.cjs'), 1)
  const image = join(homeFolder(), 'samples', 'coffee.jpg')
  const task = { image, model: modelName, engine: name, top: 1 }
  try {
    const { classified, fatal, error } = await pool.run(task)
    if (classified) return ok(`${version}, ${classified.timings.infer} ms per image`)
    const { message: detail, hint } = fatal ??
      error ?? { message: 'The engine returned nothing', hint: undefined }
    return { state: 'failed', detail, hint }
  } finally {
    await pool.close()
  }
}

/** Checks the engines, best first. The slow fallback is tried only if no other engine works, or if it is selected. */
function engineChecks(connection: Connection): Record<string, () => Promise<Check>> {
  let hasEngine = false
  const check = async (name: EngineName): Promise<Check> => {
    if (name === 'cpu' && hasEngine && connection.settings.engine !== name)
      return absent('Not tried: the fallback if no other engine works')
    const found = await engine(name, connection)
    hasEngine ||= found.state === 'ok'
    return found
  }
  return Object.fromEntries(engineNames.map((name) => [`engine ${name}`, () => check(name)]))
}

async function objectStore(connection: Connection): Promise<Check> {
  const { s3Endpoint, imagesBucket, resultsBucket } = connection.settings
  if (!s3Endpoint) return absent('not configured', 'whisklens up starts one')
  const store = needStore(connection)
  for (const name of [imagesBucket, resultsBucket]) await store.bucket(name).list().next()
  return ok(`${s3Endpoint}, buckets ${imagesBucket} and ${resultsBucket}`)
}

/** Maximum number of refusals shown. */
const refusalsShown = 3

/** Notifications that `bucket-events` refused in the last week. */
async function notifications(connection: Connection): Promise<Check> {
  const refusals = await readRefusals(needStore(connection).bucket(connection.settings.resultsBucket))
  if (refusals.length === 0) return ok('none refused in the last week')
  const shown = refusals.slice(0, refusalsShown).map(({ at, reason }) => `refused at ${at}: ${reason}`)
  const more = refusals.length - shown.length
  return absent(
    `${shown.join('; ')}${more > 0 ? `; and ${more} others in the last week` : ''}`,
    'docs/events.md, Where notifications go',
  )
}

/** Runs all checks, one after the other. */
export async function* findings(connection: Connection): AsyncGenerator<Finding> {
  const checks: Record<string, () => Check | Promise<Check>> = {
    node,
    decoder,
    model: () => model(connection),
    ...engineChecks(connection),
    ...(connection.settings.runtimeImage && { 'runtime image': () => runtimeImage(connection) }),
    'object store': () => objectStore(connection),
    ...(connection.settings.s3Endpoint && { notifications: () => notifications(connection) }),
    ...openWhiskChecks(connection),
    ...(connection.settings.s3Endpoint && connection.apiHost && { gallery: () => checkCors(connection) }),
  }
  for (const [name, check] of Object.entries(checks)) {
    yield { name, ...(await Promise.resolve().then(check).catch(failed)) }
  }
}
