import { join, resolve } from 'node:path'
import openwhisk from 'openwhisk'
import { Agent, fetch as fetchByAgent } from 'undici'
import { clientsOf, parseLines } from '../helpers/clients'
import { eventually, whisklens } from '../helpers/local-mode'
import type { Target } from './target'
import { type Output, paced, programOnPath, runProgram, untilNextMinute, wsk } from './wsk'

const root = join(__dirname, '..', '..')
const wskdeployBinary = programOnPath('wskdeploy')
export const hasWskdeploy = wskdeployBinary !== undefined

/** Secrets of the deployment. */
export const secrets = {
  eventsToken: 'events-token-of-the-run',
  resultsToken: 'results-token-of-the-run',
}

/** Parameters of a batch, as typed. */
export type Params = Record<string, string>

export interface Activation {
  activationId: string
  name: string
  start: number
  logs: string[]
  response: { success: boolean; result: Record<string, unknown> }
}

/** A line in the logs of a trigger's activation: outcome of a rule. */
export interface RuleOutcome {
  success: boolean
  activationId?: string
  error?: string
  rule: string
}

/**
 * A manifest on a target, and what its users do with it.
 * @param manifest path relative to the repository root, or absolute
 */
export function openDeployment(target: Target, manifest: string) {
  const { platform, s3, ownS3, imagesBucket, resultsBucket, ca } = target
  const { apiHost, auth, namespace } = platform
  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HOME: '/nonexistent',
    NODE_PATH: process.env.NODE_PATH,
    WHISKLENS_APIHOST: apiHost,
    WHISKLENS_AUTH: auth,
    WHISKLENS_S3_ENDPOINT: s3.endpoint,
    WHISKLENS_S3_REGION: s3.region,
    WHISKLENS_S3_ACCESS_KEY_ID: s3.accessKeyId,
    WHISKLENS_S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    WHISKLENS_IMAGES_BUCKET: imagesBucket,
    WHISKLENS_RESULTS_BUCKET: resultsBucket,
    WHISKLENS_EVENTS_TOKEN: secrets.eventsToken,
    WHISKLENS_RESULTS_TOKEN: secrets.resultsToken,
    ...(ca && { WHISKLENS_CA: ca }),
    ...(target.runtimeImage && { WHISKLENS_RUNTIME_IMAGE: target.runtimeImage }),
  }
  const clients = clientsOf({ apiHost, auth, s3: ownS3, imagesBucket, resultsBucket })
  const ow = openwhisk({ apihost: apiHost, api_key: auth, ignore_certs: platform.insecure })
  const path = resolve(root, manifest)
  const web = `${apiHost}/api/v1/web/${namespace}/whisklens`

  const run = (...args: string[]): Promise<Output> => paced(() => whisklens(args, env))
  const wskdeploy = (...words: string[]): Promise<Output> =>
    paced(() =>
      runProgram(
        String(wskdeployBinary),
        [...words, '-m', path, '--apihost', apiHost, '--auth', auth, '--namespace', namespace],
        { env, cwd: root },
      ),
    )

  async function succeed(output: Promise<Output>): Promise<Output> {
    const { code, stdout, stderr } = await output
    if (code !== 0) throw new Error(`Exit code ${code}: ${stdout}${stderr}`)
    return { code, stdout, stderr }
  }

  const activation = (activationId: string): Promise<Activation> =>
    eventually(
      () => ow.activations.get({ name: activationId }).catch(() => undefined) as never,
      `activation ${activationId}`,
      400_000,
    )

  return {
    ...clients,
    env,
    web,
    run,
    wsk: (...args: string[]) => wsk(platform, ...args),
    wskdeploy,
    activation,
    /** Deploys by `wskdeploy` if it is installed. */
    deploy: () => succeed(hasWskdeploy ? wskdeploy() : run('deploy', '--manifest', path)),
    undeploy: () => succeed(hasWskdeploy ? wskdeploy('undeploy') : run('undeploy', '--manifest', path)),
    /** Disables polling of the images bucket, if the target has alarms, so that only notifications start batches. */
    async stopPolls(): Promise<void> {
      // The client's types lack this call.
      const feeds = ow.feeds as unknown as { update(options: object): Promise<unknown> }
      const feed = { name: 'whisklens/bucket-feed', trigger: 'image-uploaded' }
      await feeds.update({ ...feed, params: { minutes: 0 } })
    },
    /** Entities that `whisklens deploy` would change. */
    differing: async (): Promise<object[]> => {
      const { stdout } = await succeed(run('deploy', '--manifest', path, '--dry-run', '--json'))
      return parseLines<{ change: string }>(stdout).filter(({ change }) => change !== 'none')
    },
    /** Fires a trigger by `wsk`. @returns outcomes of its rules */
    async fireBy(args: string[]): Promise<RuleOutcome[]> {
      const { stdout } = await succeed(wsk(platform, 'trigger', 'fire', ...args))
      const id = /[0-9a-f]{32}/.exec(stdout)?.[0]
      if (!id) throw new Error(`No activation id in: ${stdout}`)
      return (await activation(id)).logs.map((line) => JSON.parse(line))
    },
    /** Fires `batch-requested`; retries in the next minute if its rule was throttled. @returns outcome of the rule */
    async outcomeOf(params: Params): Promise<RuleOutcome> {
      const words = Object.entries(params).flatMap(([name, value]) => ['-p', name, value])
      for (let attempt = 0; attempt < 4; attempt++) {
        const [outcome] = await this.fireBy(['batch-requested', ...words])
        if (!outcome) throw new Error('The trigger has no active rule')
        if (!/Too many/.test(outcome.error ?? '')) return outcome
        await untilNextMinute()
      }
      throw new Error('The rule was throttled in four minutes')
    },
    /** Fires `batch-requested`. @returns id of the action's activation */
    async request(params: Params): Promise<string> {
      const { success, activationId, error } = await this.outcomeOf(params)
      if (!success || !activationId) throw new Error(`The rule failed: ${error}`)
      return activationId
    },
    /** All activations, over all pages. */
    async activations(): Promise<string[]> {
      const all: string[] = []
      for (let page: unknown[] = [0]; page.length > 0; ) {
        page = await ow.activations.list({ docs: true, limit: 200, skip: all.length } as never)
        all.push(...page.map((one) => JSON.stringify(one)))
      }
      return all
    },
    /** Names of all packages, actions, triggers and rules. */
    async entities(): Promise<string[]> {
      const lists = [ow.packages.list(), ow.actions.list(), ow.triggers.list(), ow.rules.list()]
      const found = (await Promise.all(lists)) as { namespace: string; name: string }[][]
      return found
        .flat()
        .map((one) => `${one.namespace}/${one.name}`)
        .sort()
    },
    /** Sends a request to a web action; retries in the next minute if it was throttled. */
    async ask(path: string, init: RequestInit = {}): Promise<Response> {
      for (;;) {
        const answer = await fetchBy(ca, new Request(`${web}/${path}`, init))
        if (answer.status !== 429) return answer
        await answer.text()
        await untilNextMinute()
      }
    },
  }
}
export type Deployment = ReturnType<typeof openDeployment>

/** Like `fetch`, which has no option for a certificate authority. */
async function fetchBy(ca: string | undefined, request: Request): Promise<Response> {
  if (!ca) return fetch(request)
  const { method, url, redirect } = request
  const answer = await fetchByAgent(url, {
    method,
    redirect,
    headers: Object.fromEntries(request.headers),
    body: request.body && Buffer.from(await request.arrayBuffer()),
    dispatcher: new Agent({ connect: { ca } }),
  })
  return answer as unknown as Response
}
