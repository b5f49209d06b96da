import type { HostKind } from '../../src/openwhisk/host'
import { passOn, startStoreProxy } from '../helpers/store-proxy'
import { clientOf } from './api-host'
import { type Deployment, startDeployment } from './deployment'

let deployment: Deployment
/** Kinds in the answer to `GET /`; undefined for an HTML page in place of JSON. */
let offered: HostKind[] | undefined
let before: Awaited<ReturnType<typeof startStoreProxy>>

beforeAll(async () => {
  deployment = await startDeployment()
  before = await startStoreProxy(deployment.host.url, async (incoming, outgoing, onward) => {
    if (incoming.url !== '/') return passOn(await onward(), outgoing)
    outgoing.writeHead(200, { 'content-type': offered ? 'application/json' : 'text/html' })
    outgoing.end(offered ? JSON.stringify({ runtimes: { nodejs: offered } }) : '<h1>Gateway</h1>')
  })
})
afterAll(async () => {
  await before.close()
  await deployment.close()
})
afterEach(() => deployment.undeploy())

const offer = (...kinds: string[]): void => {
  offered = kinds.map((kind) => ({ kind, deprecated: false }))
}
const offerDeprecated = (kind: string): void => {
  offered?.push({ kind, deprecated: true })
}

const deploy = (wanted = {}, options = {}) => deployment.deploy(wanted, options, before.endpoint)

async function kindsOf(): Promise<unknown[]> {
  const client = clientOf(deployment.host)
  const names = ['p/echo', 'p/page', 'p/watch']
  return Promise.all(names.map(async (name) => (await client.actions.get({ name })).exec.kind))
}
const threeOf = (kind: string) => [kind, kind, kind]

it.each([
  ['nodejs:24', ['nodejs:18', 'nodejs:24', 'nodejs:20', 'nodejs:22']],
  ['nodejs:22', ['nodejs:18', 'nodejs:22']],
  ['nodejs:20', ['nodejs:20', 'nodejs:21', 'nodejs:99']],
])('picks %s from %j', async (kind, kinds) => {
  offer(...kinds)
  await deploy()
  expect(await kindsOf()).toEqual(threeOf(kind))
})

it('picks a deprecated kind only if there is no other', async () => {
  offer('nodejs:20')
  offerDeprecated('nodejs:22')
  await deploy()
  expect(await kindsOf()).toEqual(threeOf('nodejs:20'))
  await deployment.undeploy()
  offer('nodejs:18')
  offerDeprecated('nodejs:20')
  await deploy()
  expect(await kindsOf()).toEqual(threeOf('nodejs:20'))
})

it('keeps the kind of existing actions until it is deprecated or another is requested', async () => {
  offer('nodejs:20')
  await deploy()
  offer('nodejs:20', 'nodejs:22', 'nodejs:24')
  expect((await deploy()).filter(({ change }) => change !== 'none')).toEqual([])
  const asked = await deploy({}, { kind: 'nodejs:22' })
  expect(asked.filter(({ differs }) => differs.includes('kind'))).toHaveLength(3)
  expect(await kindsOf()).toEqual(threeOf('nodejs:22'))
  offer('nodejs:24')
  offerDeprecated('nodejs:22')
  await deploy()
  expect(await kindsOf()).toEqual(threeOf('nodejs:24'))
})

it('keeps a kind named in the manifest', async () => {
  offer('nodejs:20', 'nodejs:22')
  await deploy({ kind: 'nodejs:20' })
  expect(await kindsOf()).toEqual(threeOf('nodejs:20'))
})

it.each([
  ['none that is supported', ['nodejs:18', 'nodejs:14'], {}, undefined, 'it has nodejs:18, nodejs:14'],
  ['none for Node.js', [], {}, undefined, 'it has none for Node.js'],
  ['not the one asked for', ['nodejs:20'], {}, 'nodejs:22', 'does not offer the kind "nodejs:22"'],
  ['not the one of the manifest', ['nodejs:22'], { kind: 'nodejs:20' }, undefined, 'it has nodejs:22'],
  ['one that is too old', ['nodejs:18', 'nodejs:20'], {}, 'nodejs:18', 'does not run on the kind'],
  ['another language', ['nodejs:20'], {}, 'python:3', 'does not run on the kind'],
])('deploys nothing if the platform has %s', async (_, kinds, wanted, kind, message) => {
  offer(...kinds)
  await expect(deploy(wanted, { kind })).rejects.toMatchObject({
    code: 'kind_unsupported',
    message: expect.stringContaining(message),
    hint: expect.any(String),
  })
  expect(await clientOf(deployment.host).packages.list()).toEqual([])
})

it('leaves the choice to a platform that does not list its kinds', async () => {
  offered = undefined
  await deploy()
  const [kind] = await kindsOf()
  expect(kind).toMatch(/^nodejs:\d+$/)
  expect((await deploy()).filter(({ change }) => change !== 'none')).toEqual([])
  await deploy({}, { kind: 'nodejs:22' })
  expect(await kindsOf()).toEqual(threeOf('nodejs:22'))
})
