import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import openwhisk from 'openwhisk'
import { temporaryFolder, zip } from '../contract/api-host'
import { changed, constantFeed, echo, everything, openDeployment } from '../contract/deployment'
import { needs } from '../helpers/needs'
import { openServer, type Server } from './server'

/*
 * `whisklens deploy` and wskdeploy alternate on one platform: the server in WHISKLENS_APIHOST and WHISKLENS_AUTH, or
 * the local API host. Without wskdeploy on PATH, equivalent PUT requests replace it.
 */

const { PATH = '' } = process.env
const wskdeploy = PATH.split(delimiter)
  .map((path) => join(path, 'wskdeploy'))
  .find(existsSync)

const folder = temporaryFolder()
let server: Server
let deployment: ReturnType<typeof openDeployment>
let address: { apiHost: string; auth: string }
let client: ReturnType<typeof openwhisk>

beforeAll(async () => {
  server = await openServer()
  // Previous tests have used up this minute's invocations.
  await server.nextMinute()
  address = { apiHost: server.url, auth: server.auth }
  deployment = openDeployment(address, folder, constantFeed)
  client = openwhisk({ apihost: address.apiHost, api_key: address.auth })
})
afterAll(async () => {
  await deployment.undeploy()
  await server.close()
  rmSync(folder, { recursive: true })
})

async function deployAsWskdeploy(wanted: { code?: string } = {}): Promise<void> {
  await deployment.manifestOf(wanted)
  if (wskdeploy) {
    const connection = ['--apihost', address.apiHost, '--auth', address.auth, '--namespace', 'guest']
    const { status, stdout, stderr } = spawnSync(wskdeploy, ['-m', deployment.manifestFile, ...connection], {
      encoding: 'utf8',
      env: { PATH, HOME: folder },
    })
    if (status !== 0) throw new Error(`wskdeploy failed:\n${stdout}${stderr}`)
    return
  }
  const exec = { kind: 'nodejs:default', code: zip({ 'index.js': wanted.code ?? echo }) }
  for (const name of ['p/echo', 'p/page'])
    await client.actions.update({ name, action: { exec, publish: false } } as never)
}

const versionOf = async (name: string) => (await client.actions.get({ name })).version
const dryRun = async () => changed(await deployment.deploy({}, { dryRun: true }))

it(`${wskdeploy ? 'has' : 'stands in for'} wskdeploy`, async () => {
  expect(changed(await deployment.deploy())).toEqual(everything.map((name) => ['create', name, []]))
  expect(await dryRun()).toEqual([])
  await deployAsWskdeploy()
  expect(await versionOf('p/echo')).toBe('0.0.2')
})

it('changes nothing after wskdeploy of the same zips', async () => {
  await deployAsWskdeploy()
  expect(await dryRun()).toEqual([])
})

it('puts the code again after wskdeploy of another build', async () => {
  await deployAsWskdeploy({ code: `${echo} // another build` })
  const differing = [
    ['update', 'p/echo', ['code']],
    ['update', 'p/page', ['code']],
  ]
  expect(await dryRun()).toEqual(differing)
  expect(changed(await deployment.deploy())).toEqual(differing)
  expect(await dryRun()).toEqual([])
  expect(await client.actions.get({ name: 'p/echo' })).toMatchObject({
    exec: { code: zip({ 'index.js': echo }) },
  })
})

needs(!wskdeploy && 'wskdeploy is not on PATH').it(
  'has nothing to do after a first deployment by wskdeploy',
  async () => {
    await deployment.undeploy()
    await deployAsWskdeploy()
    expect(await dryRun()).toEqual([])
  },
)

it('runs what is deployed, and leaves nothing behind', async () => {
  const answer = await client.actions.invoke({ name: 'p/twice', blocking: true, params: { a: 1 } })
  expect(answer.response?.result).toMatchObject({ a: 1, key: 's3cret' })
  const removed = changed(await deployment.undeploy())
  expect(removed).toEqual(everything.toReversed().map((name) => ['delete', name, []]))
  expect(await deployment.undeploy()).toEqual([])
})
