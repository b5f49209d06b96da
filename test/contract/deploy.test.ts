import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { deployManifest } from '../../src/openwhisk/deploy/deploy'
import { auth, clientOf, zip } from './api-host'
import { changed, type Deployment, echo, everything, startDeployment, type Wanted } from './deployment'

let deployment: Deployment
let client: ReturnType<typeof clientOf>

beforeAll(async () => {
  deployment = await startDeployment()
  client = clientOf(deployment.host)
})
afterAll(() => deployment.close())
afterEach(() => deployment.undeploy())

const deploy: Deployment['deploy'] = (...parameters) => deployment.deploy(...parameters)
const otherCode = `${echo} // changed`

/** The client's types are too narrow. */
const putAction = (name: string, action: object) => client.actions.update({ name, action } as never)

/**
 * Puts an action like wskdeploy: without Whisklens' annotations, and with annotations and parameters only if there are
 * any.
 */
const putAsWskdeploy = (name: string, code: string) =>
  putAction(name, {
    exec: { kind: 'nodejs:20', code: zip({ 'index.js': code }) },
    limits: { memory: 256 },
    publish: false,
  })

it('creates everything, and it works', async () => {
  expect(changed(await deploy())).toEqual(everything.map((name) => ['create', name, []]))
  const answer = await client.actions.invoke({ name: 'p/twice', blocking: true, params: { a: 1 } })
  expect(answer.response?.result).toMatchObject({ a: 1, key: 's3cret' })
  await expect(client.triggers.invoke({ name: 'asked' })).resolves.toHaveProperty('activationId')
})

it('puts annotations of sequences', async () => {
  await deploy()
  const refused = client.actions.invoke({ name: 'p/twice', blocking: true, params: { key: 'mine' } })
  await expect(refused).rejects.toMatchObject({ statusCode: 400 })
})

it('changes nothing the second time', async () => {
  await deploy()
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
    { code: otherCode },
    [
      ['update', 'p/echo', ['code']],
      ['update', 'p/page', ['code']],
    ],
  ],
])('updates only what %s changes, and reports it without its value', async (_, wanted, expected) => {
  await deploy()
  expect(changed(await deploy(wanted, { dryRun: true }))).toEqual(expected)
  expect(changed(await deploy(wanted))).toEqual(expected)
  expect(changed(await deploy(wanted))).toEqual([])
})

describe('after changes by others', () => {
  beforeEach(() => deploy())

  it('changes nothing if the same code was put', async () => {
    await putAsWskdeploy('p/echo', echo)
    expect(changed(await deploy({}, { dryRun: true }))).toEqual([])
  })

  it('puts the code again if other code was put', async () => {
    await putAsWskdeploy('p/echo', otherCode)
    expect(changed(await deploy({}, { dryRun: true }))).toEqual([['update', 'p/echo', ['code']]])
    await deploy()
    expect(await client.actions.get({ name: 'p/echo' })).toMatchObject({
      exec: { code: zip({ 'index.js': echo }) },
    })
  })

  it('puts the code again if an action was read, changed and put back, including version and annotations', async () => {
    const action = await client.actions.get({ name: 'p/echo' })
    await putAction('p/echo', { ...action, exec: { ...action.exec, code: zip({ 'index.js': otherCode }) } })
    expect((await client.actions.get({ name: 'p/echo' })).version).toBe(action.version)
    expect(changed(await deploy())).toEqual([['update', 'p/echo', ['code']]])
  })

  it.each<[string, object, string[]]>([
    ['a limit', { limits: { memory: 128 } }, ['limit memory']],
    ['a parameter of its own', { parameters: [{ key: 'key', value: 'x' }] }, ['parameter key']],
    ['another main', { exec: { kind: 'nodejs:20', code: zip({ 'index.js': echo }), main: 'x' } }, ['main']],
    [
      'the way to it from the web',
      { annotations: [{ key: 'web-export', value: true }] },
      ['annotation web-export'],
    ],
    ['the key', { annotations: [{ key: 'provide-api-key', value: true }] }, ['annotation provide-api-key']],
    ['the key of old actions', { delAnnotations: ['provide-api-key'] }, ['annotation provide-api-key']],
  ])('reverts %s', async (_, action, differs) => {
    await putAction('p/echo', action)
    expect(changed(await deploy())).toEqual([['update', 'p/echo', differs]])
    expect(changed(await deploy())).toEqual([])
  })

  it('leaves annotations of others alone', async () => {
    await putAction('p/echo', { annotations: [{ key: 'whisk-managed', value: { file: 'x' } }] })
    expect(changed(await deploy())).toEqual([])
  })

  it('treats unset and empty parameters as equal', async () => {
    const { parameters = [] } = await client.packages.get({ name: 'p' })
    expect(parameters).toContainEqual({ key: 'unset', value: '' })
    const others = parameters.filter(({ key }) => key !== 'unset')
    const body = { version: '1.0.0', parameters: [...others, { key: 'empty', value: '' }] }
    await client.packages.update({ name: 'p', package: body } as never)
    expect(changed(await deploy({}, { dryRun: true }))).toEqual([])
  })
})

it('enables a disabled rule', async () => {
  await deploy()
  await client.rules.disable({ name: 'on-asked' })
  expect(changed(await deploy())).toEqual([['update', 'on-asked', ['status']]])
  expect(await client.rules.get({ name: 'on-asked' })).toMatchObject({ status: 'active' })
})

it('changes nothing in a dry run', async () => {
  expect(changed(await deploy({}, { dryRun: true }))).toHaveLength(everything.length)
  expect(await client.packages.list()).toEqual([])
})

it('leaves nothing behind when undeployed', async () => {
  await deploy()
  expect(changed(await deployment.undeploy({ dryRun: true }))).toHaveLength(everything.length)
  expect(changed(await deployment.undeploy())).toEqual(
    everything.toReversed().map((name) => ['delete', name, []]),
  )
  const { actions, packages, triggers, rules } = client
  for (const resource of [actions, packages, triggers, rules]) expect(await resource.list()).toEqual([])
  expect(await deployment.undeploy()).toEqual([])
})

it('removes a trigger whose feed fails, and reports the failure', async () => {
  await deploy()
  const watched = { name: 'p/watch', trigger: 'uploaded' }
  await client.feeds.delete(watched).catch(() => {})
  const removed = await deployment.undeploy()
  expect(removed.map(({ name }) => name)).toEqual(everything.toReversed())
  expect(removed.filter(({ failure }) => failure)).toEqual([
    expect.objectContaining({ name: 'uploaded', failure: expect.stringContaining('unknown') }),
  ])
})

it('keeps a package with actions of others, and reports it', async () => {
  await deploy()
  await putAsWskdeploy('p/other', echo)
  await expect(deployment.undeploy()).rejects.toMatchObject({
    status: 409,
    hint: expect.stringContaining('wsk package get --summary p'),
  })
  await client.actions.delete({ name: 'p/other' })
  expect(changed(await deployment.undeploy())).toEqual([['delete', 'p', []]])
})

it('refuses to write results to the watched bucket', async () => {
  await expect(deploy({ resultsBucket: 'images' })).rejects.toMatchObject({ code: 'bad_deployment' })
})

it('says what to do if the code was not built', async () => {
  const manifest = await deployment.manifestOf()
  rmSync(join(deployment.folder, 'echo.zip'))
  const deploying = deployManifest(manifest, { apiHost: deployment.host.url, auth })
  await expect(deploying.next()).rejects.toMatchObject({ hint: expect.stringContaining('npm run build') })
})
