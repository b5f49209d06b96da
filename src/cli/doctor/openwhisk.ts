import { resolve } from 'node:path'
import * as z from 'zod'
import { toEnvironment } from '../../config'
import { InvalidInputError } from '../../errors'
import { type ApiAddress, clientOf, connect, isStatus } from '../../openwhisk/client'
import { type Change, deployManifest } from '../../openwhisk/deploy/deploy'
import { kindOf } from '../../openwhisk/deploy/kinds'
import { namespaceOf, readEntity } from '../../openwhisk/deploy/resources'
import { describeHost, limitsOf } from '../../openwhisk/host'
import { readManifest } from '../../openwhisk/manifest'
import { hasAlarms } from '../../openwhisk/schedule'
import { homeFolder } from '../../paths'
import { type Connection, needOpenWhisk } from '../shared/connection'
import { absent, type Check, ok } from './finding'

async function host(address: ApiAddress): Promise<Check> {
  const { apiHost } = address
  const namespace = await namespaceOf(clientOf(address))
  const offered = (await describeHost(address))?.runtimes.nodejs
  if (!offered) return ok(`${apiHost}, namespace ${namespace}; kinds not listed`)
  const kinds = offered.map(({ kind, deprecated }) => (deprecated ? `${kind} (deprecated)` : kind))
  const kind = kindOf('nodejs:default', undefined, { offered, apiHost })
  return ok(`${apiHost}, namespace ${namespace}; kinds ${kinds.join(', ')}; new actions get ${kind}`)
}

async function limits(address: ApiAddress): Promise<Check> {
  const found = await limitsOf(address, await describeHost(address))
  if (!found) return absent(`${address.apiHost} does not report its limits`)
  const { invocationsPerMinute, concurrentInvocations, firesPerMinute } = found
  return ok(
    `${invocationsPerMinute} invocations and ${firesPerMinute} trigger fires per minute, ${concurrentInvocations} concurrent invocations`,
  )
}

/** Compares the deployed code with this build. */
async function deployment(address: ApiAddress, { given }: Connection): Promise<Check> {
  const name = 'whisklens/classify'
  const classify = await readEntity(clientOf(address), { kind: 'action', name, body: {} })
  if (!classify) return absent('Whisklens is not deployed', 'whisklens deploy')
  const image = classify.exec?.image
  const manifest = await readManifest(
    resolve(homeFolder(), image === undefined ? 'manifest.stock.yaml' : 'manifest.yaml'),
    toEnvironment({ ...given, runtimeImage: image }),
  )
  const actions: Change[] = []
  try {
    for await (const change of deployManifest(manifest, address, { dryRun: true }))
      if (change.kind === 'action') actions.push(change)
  } catch (thrown) {
    // Not built, or no supported kind: cannot compare, but the deployment may still work.
    if (thrown instanceof InvalidInputError) return absent(`not compared: ${thrown.message}`, thrown.hint)
    throw thrown
  }
  const versions = actions.map(({ name, version }) => `${name} ${version ?? 'missing'}`).join(', ')
  const others = actions.filter(({ change, differs }) => change === 'create' || differs.includes('code'))
  if (others.length === 0) return ok(`${versions}; same code as this build`)
  const names = others.map(({ name }) => name).join(', ')
  return absent(`${versions}; code differs from this build: ${names}`, 'whisklens deploy')
}

const describedSchema = z.object({ model: z.string(), engine: z.string(), decoder: z.string() })

/** Asks the deployed `classify` to describe itself: libraries may be missing there that are installed here. */
async function classify(address: ApiAddress, { namespace }: Connection): Promise<Check> {
  const name = `/${namespace}/whisklens/classify`
  const answer = await connect(address, 0)
    .call(name, { describe: true })
    .catch((thrown) => {
      if (isStatus(404)(thrown)) return undefined
      throw thrown
    })
  if (!answer) return absent('Whisklens is not deployed', 'whisklens deploy')
  const { model, engine, decoder } = describedSchema.parse(answer)
  if (decoder.startsWith('sharp')) return ok(`${model} on ${engine}, decoder ${decoder}`)
  return {
    state: 'failed',
    detail: `${name} decodes JPEG only (${decoder}): sharp is missing there`,
    hint: 'Deploy manifest.yaml with the runtime image, or manifest.stock.yaml, whose zip includes sharp',
  }
}

async function alarms(address: ApiAddress): Promise<Check> {
  if (await hasAlarms(address)) return ok('/whisk.system/alarms: buckets are polled')
  return absent(
    'no /whisk.system/alarms: buckets are not polled; uploads whose notifications were all refused wait for the next notification or batch',
    'Invoke whisklens/start-batch from a scheduler: docs/events.md, Polls',
  )
}

/** Checks of the configured OpenWhisk. */
export function openWhiskChecks(connection: Connection): Record<string, () => Promise<Check>> {
  if (!connection.apiHost) {
    return { openwhisk: async () => absent('not configured', 'whisklens up starts one') }
  }
  const check = (what: (address: ApiAddress, connection: Connection) => Promise<Check>) => async () =>
    what(needOpenWhisk(connection), connection)
  return {
    openwhisk: check(host),
    limits: check(limits),
    deployment: check(deployment),
    classify: check(classify),
    alarms: check(alarms),
  }
}
