import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { ApiHost } from '../../src/local/host/server'
import { type Change, deployManifest, undeployManifest } from '../../src/openwhisk/deploy/deploy'
import { readManifest } from '../../src/openwhisk/manifest'
import { auth, buildRuntime, clientOf, startTestHost, temporaryFolder, zip } from './api-host'

const echo = 'exports.main = (params) => params'
/** A feed that knows its triggers as long as its container lives. */
const feed = `const known = {}
exports.main = ({ lifecycleEvent, triggerName, bucket }) => {
  if (lifecycleEvent === 'CREATE') known[triggerName] = { bucket }
  if (lifecycleEvent === 'DELETE') delete known[triggerName]
  return known[triggerName] ?? { error: 'unknown' }
}`

interface Wanted {
  secret?: string
  memory?: number
  bucket?: string
  code?: string
  resultsBucket?: string
}

let host: ApiHost
let folder: string

beforeAll(async () => {
  folder = temporaryFolder()
  host = await startTestHost(buildRuntime(folder), { containersPerAction: 1 })
})
afterAll(async () => {
  await host.close()
  rmSync(folder, { recursive: true })
})
afterEach(() => undeploy())

function manifestOf({
  secret = 's3cret',
  memory = 256,
  bucket = 'photos',
  code = echo,
  resultsBucket,
}: Wanted) {
  writeFileSync(join(folder, 'echo.zip'), Buffer.from(zip({ 'index.js': code }), 'base64'))
  writeFileSync(join(folder, 'feed.zip'), Buffer.from(zip({ 'index.js': feed }), 'base64'))
  const parts = {
    version: '1.0',
    license: 'Apache-2.0',
    inputs: { key: secret, imagesBucket: 'images', ...(resultsBucket && { resultsBucket }) },
    actions: {
      echo: { function: 'echo.zip', runtime: 'nodejs:20', limits: { memorySize: memory } },
      page: { function: 'echo.zip', runtime: 'nodejs:20', web: true },
      watch: { function: 'feed.zip', runtime: 'nodejs:20', annotations: { feed: true } },
    },
    sequences: { twice: { actions: 'echo, echo', annotations: { final: true } } },
    triggers: { uploaded: { feed: 'p/watch', inputs: { bucket } }, asked: {} },
    rules: { 'on-asked': { trigger: 'asked', action: 'twice' } },
  }
  writeFileSync(join(folder, 'manifest.yaml'), stringify({ project: { name: 'p', packages: { p: parts } } }))
  return readManifest(join(folder, 'manifest.yaml'), {})
}

const address = () => ({ apiHost: host.url, auth })

async function all(changes: AsyncIterable<Change>): Promise<Change[]> {
  const found: Change[] = []
  for await (const change of changes) found.push(change)
  return found
}

const deploy = async (wanted: Wanted = {}, options = {}) =>
  all(deployManifest(await manifestOf(wanted), address(), options))
const undeploy = async (options = {}) => all(undeployManifest(await manifestOf({}), address(), options))

const changed = (changes: Change[]) =>
  changes
    .filter(({ change }) => change !== 'none')
    .map(({ change, name, differs }) => [change, name, differs])

const everything = ['p', 'p/echo', 'p/page', 'p/watch', 'p/twice', 'uploaded', 'asked', 'on-asked']

it('makes everything, which then works', async () => {
  expect(changed(await deploy())).toEqual(everything.map((name) => ['create', name, []]))
  const client = clientOf(host)
  const answer = await client.actions.invoke({ name: 'p/twice', blocking: true, params: { a: 1 } })
  expect(answer.response?.result).toMatchObject({ a: 1, key: 's3cret' })
  await expect(client.triggers.invoke({ name: 'asked' })).resolves.toHaveProperty('activationId')
})

it('puts annotations of sequences', async () => {
  await deploy()
  const { actions } = clientOf(host)
  const refused = actions.invoke({ name: 'p/twice', blocking: true, params: { key: 'mine' } })
  await expect(refused).rejects.toMatchObject({ statusCode: 400 })
})

it('changes nothing the second time', async () => {
  await deploy()
  const client = clientOf(host)
  const { version } = await client.actions.get({ name: 'p/echo' })
  expect(changed(await deploy())).toEqual([])
  expect((await client.actions.get({ name: 'p/echo' })).version).toBe(version)
})

it.each<[string, Wanted, unknown[][]]>([
  ['a limit', { memory: 512 }, [['update', 'p/echo', ['limit memory']]]],
  ['a secret', { secret: 'other' }, [['update', 'p', ['parameter key']]]],
  ['what a feed is asked for', { bucket: 'videos' }, [['update', 'uploaded', ['feed']]]],
  [
    'code',
    { code: `${echo} // changed` },
    [
      ['update', 'p/echo', ['code']],
      ['update', 'p/page', ['code']],
    ],
  ],
])('puts only what %s changes, and names it without its value', async (_, wanted, expected) => {
  await deploy()
  expect(changed(await deploy(wanted, { dryRun: true }))).toEqual(expected)
  expect(changed(await deploy(wanted))).toEqual(expected)
  expect(changed(await deploy(wanted))).toEqual([])
})

it('enables a rule that was disabled', async () => {
  await deploy()
  await clientOf(host).rules.disable({ name: 'on-asked' })
  expect(changed(await deploy())).toEqual([['update', 'on-asked', ['status']]])
  expect(await clientOf(host).rules.get({ name: 'on-asked' })).toMatchObject({ status: 'active' })
})

it('changes nothing in a dry run', async () => {
  expect(changed(await deploy({}, { dryRun: true }))).toHaveLength(everything.length)
  expect(await clientOf(host).packages.list()).toEqual([])
})

it('leaves nothing behind when it is removed', async () => {
  await deploy()
  expect(changed(await undeploy({ dryRun: true }))).toHaveLength(everything.length)
  expect(changed(await undeploy())).toEqual(everything.toReversed().map((name) => ['delete', name, []]))
  const { actions, packages, triggers, rules } = clientOf(host)
  for (const resource of [actions, packages, triggers, rules]) expect(await resource.list()).toEqual([])
  expect(await undeploy()).toEqual([])
})

it('refuses results in the bucket that is watched', async () => {
  await expect(deploy({ resultsBucket: 'images' })).rejects.toMatchObject({ code: 'invalid_input' })
})

it('says what to do when the code was not built', async () => {
  const manifest = await manifestOf({})
  rmSync(join(folder, 'echo.zip'))
  await expect(all(deployManifest(manifest, address()))).rejects.toMatchObject({
    hint: expect.stringContaining('npm run build'),
  })
})
