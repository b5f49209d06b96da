import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { ApiAddress } from '../../src/openwhisk/client'
import {
  type Change,
  type DeployOptions,
  deployManifest,
  undeployManifest,
} from '../../src/openwhisk/deploy/deploy'
import { readManifest } from '../../src/openwhisk/manifest'
import { auth, buildRuntime, startTestHost, temporaryFolder, zip } from './api-host'

export const echo = 'exports.main = (params) => params'
/** A feed that keeps its triggers in the memory of its only container. */
const memoryFeed = `const known = {}
exports.main = ({ lifecycleEvent, triggerName, bucket }) => {
  if (lifecycleEvent === 'CREATE') known[triggerName] = { bucket }
  if (lifecycleEvent === 'DELETE') delete known[triggerName]
  return known[triggerName] ?? { error: 'unknown' }
}`

/** A stateless feed. */
export const constantFeed = `exports.main = () => ({ bucket: 'photos' })`

/** Overrides of the manifest. */
export interface Wanted {
  secret?: string
  memory?: number
  bucket?: string
  code?: string
  resultsBucket?: string
  kind?: string
}

/** All entities of the manifest in creation order. */
export const everything = ['p', 'p/echo', 'p/page', 'p/watch', 'p/twice', 'uploaded', 'asked', 'on-asked']

/** Actual changes, as `[change, name, differs]`. */
export const changed = (changes: Change[]) =>
  changes
    .filter(({ change }) => change !== 'none')
    .map(({ change, name, differs }) => [change, name, differs])

async function all(changes: AsyncIterable<Change>): Promise<Change[]> {
  const found: Change[] = []
  for await (const change of changes) found.push(change)
  return found
}

/** A manifest of the package `p`, and functions that deploy it to a platform. */
export function openDeployment(address: ApiAddress, folder: string, feed = memoryFeed) {
  const manifestFile = join(folder, 'manifest.yaml')

  /** Writes the manifest and its code. */
  async function manifestOf({
    secret = 's3cret',
    memory = 256,
    bucket = 'photos',
    code = echo,
    resultsBucket,
    kind: runtime = 'nodejs:default',
  }: Wanted = {}) {
    writeFileSync(join(folder, 'echo.zip'), Buffer.from(zip({ 'index.js': code }), 'base64'))
    writeFileSync(join(folder, 'feed.zip'), Buffer.from(zip({ 'index.js': feed }), 'base64'))
    const parts = {
      version: '1.0.0',
      license: 'Apache-2.0',
      inputs: {
        key: secret,
        unset: '$UNSET',
        imagesBucket: 'images',
        ...(resultsBucket && { resultsBucket }),
      },
      actions: {
        echo: { function: 'echo.zip', runtime, limits: { memorySize: memory } },
        page: { function: 'echo.zip', runtime, web: true },
        watch: { function: 'feed.zip', runtime, annotations: { feed: true } },
      },
      sequences: { twice: { actions: 'echo, echo', annotations: { final: true } } },
      triggers: { uploaded: { feed: 'p/watch', inputs: { bucket } }, asked: {} },
      rules: { 'on-asked': { trigger: 'asked', action: 'twice' } },
    }
    writeFileSync(manifestFile, stringify({ project: { name: 'p', packages: { p: parts } } }))
    return readManifest(manifestFile, {})
  }

  return {
    folder,
    manifestFile,
    manifestOf,
    /** @param apiHost proxy in front of the host */
    deploy: async (wanted: Wanted = {}, options: DeployOptions = {}, apiHost = address.apiHost) =>
      all(deployManifest(await manifestOf(wanted), { ...address, apiHost }, options)),
    undeploy: async (options = {}) => all(undeployManifest(await manifestOf(), address, options)),
  }
}

/** Like {@link openDeployment}, with its own API host. */
export async function startDeployment() {
  const folder = temporaryFolder()
  const host = await startTestHost(buildRuntime(folder), { containersPerAction: 1 })
  return {
    ...openDeployment({ apiHost: host.url, auth }, folder),
    host,
    async close() {
      await host.close()
      rmSync(folder, { recursive: true })
    },
  }
}
export type Deployment = Awaited<ReturnType<typeof startDeployment>>
