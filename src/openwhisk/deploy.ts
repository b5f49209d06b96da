import { readFile } from 'node:fs/promises'
import openwhisk from 'openwhisk'
import { InvalidInputError } from '../errors'
import { type ApiAddress, asOpenWhiskError } from './client'
import { type Manifest, type ManifestAction, type ManifestPackage, toParameters } from './manifest'

/** The npm client's types say less than it takes. */
type Client = ReturnType<typeof openwhisk>
type Body = Parameters<Client['actions']['update']>[0]

/**
 * Deploys a manifest as wskdeploy does: packages, actions, sequences, triggers with their feeds, rules. What exists is
 * replaced; doing it twice changes nothing.
 * @throws OpenWhiskError when the platform refuses something
 */
export async function deployManifest(manifest: Manifest, { apiHost, auth }: ApiAddress): Promise<string[]> {
  const client = openwhisk({ apihost: apiHost, api_key: auth })
  const deployed: string[] = []
  const step = async (what: string, call: () => Promise<unknown>): Promise<void> => {
    await call().catch((thrown) => {
      throw asOpenWhiskError(`deploy ${what}`, thrown)
    })
    deployed.push(what)
  }
  for (const [name, parts] of Object.entries(manifest.packages)) {
    const parameters = toParameters(parts.inputs)
    const { version } = parts
    await step(`package ${name}`, () =>
      client.packages.update({ name, package: { version, parameters } } as never),
    )
    for (const [action, entry] of Object.entries(parts.actions)) {
      const body = await actionBody(manifest, action, entry)
      await step(`action ${action}`, () =>
        client.actions.update({ name: `${name}/${action}`, action: body } as Body),
      )
    }
    for (const [sequence, { actions }] of Object.entries(parts.sequences)) {
      const components = actions.split(',').map((component) => `/_/${qualified(name, component.trim())}`)
      const body = { exec: { kind: 'sequence', components } }
      await step(`sequence ${sequence}`, () =>
        client.actions.update({ name: `${name}/${sequence}`, action: body } as Body),
      )
    }
    await deployTriggers(client, name, parts, step)
  }
  return deployed
}

type Step = (what: string, call: () => Promise<unknown>) => Promise<void>

async function deployTriggers(
  client: Client,
  name: string,
  parts: ManifestPackage,
  step: Step,
): Promise<void> {
  for (const [trigger, { feed, inputs }] of Object.entries(parts.triggers)) {
    // A feed's inputs go to the feed, not to the trigger.
    const body = feed ? { annotations: [{ key: 'feed', value: feed }] } : { parameters: toParameters(inputs) }
    await step(`trigger ${trigger}`, () => client.triggers.update({ name: trigger, trigger: body } as never))
    if (!feed) continue
    const params = Object.fromEntries(toParameters(inputs).map(({ key, value }) => [key, value]))
    await step(`feed ${feed}`, () => client.feeds.create({ name: feed, trigger, params }))
  }
  for (const [rule, { trigger, action }] of Object.entries(parts.rules)) {
    const target = `/_/${qualified(name, action)}`
    await step(`rule ${rule}`, async () => {
      await client.rules.update({ name: rule, trigger: `/_/${trigger}`, action: target })
      await client.rules.enable({ name: rule })
    })
  }
}

const qualified = (name: string, entity: string): string =>
  entity.includes('/') ? entity : `${name}/${entity}`

async function actionBody(manifest: Manifest, name: string, action: ManifestAction): Promise<object> {
  if (action.docker === undefined && action.runtime === undefined) {
    throw new InvalidInputError(`The action ${name} has neither a runtime nor a docker image`)
  }
  if (action.docker === '') {
    throw new InvalidInputError(`The image of the action ${name} is empty`, {
      hint: 'Set WHISKLENS_RUNTIME_IMAGE.',
    })
  }
  const code = (await readFile(manifest.resolve(action.function))).toString('base64')
  const kind = action.docker ? { kind: 'blackbox', image: action.docker } : { kind: action.runtime }
  const { timeout, memorySize, logSize } = action.limits
  const annotations = { ...(action.web ? webAnnotations(action.web) : {}), ...action.annotations }
  return {
    exec: { ...kind, code, binary: true, main: action.main },
    parameters: toParameters(action.inputs),
    annotations: Object.entries(annotations).map(([key, value]) => ({ key, value })),
    limits: { timeout, memory: memorySize, logs: logSize },
  }
}

const webAnnotations = (web: true | 'raw') => ({ 'web-export': true, 'raw-http': web === 'raw', final: true })
