import { rmSync } from 'node:fs'
import type { ApiHost } from '../../src/local/host/server'
import { connect, type OpenWhisk } from '../../src/openwhisk/client'
import { auth, buildRuntime, clientOf, eventually, startTestHost, temporaryFolder } from './api-host'

const folder = temporaryFolder()
let host: ApiHost
let openwhisk: OpenWhisk

beforeAll(async () => {
  host = await startTestHost(buildRuntime(folder))
  openwhisk = connect({ apiHost: host.url, auth }, 0)
  const { actions } = clientOf(host)
  await actions.update({ name: 'add', action: 'const main = ({ n }) => ({ n: n + 1 })' })
  await actions.update({ name: 'fail', action: 'const main = () => ({ error: "stop" })' })
  await actions.update({ name: 'die', action: 'const main = () => process.exit(1)' })
  await actions.update({ name: 'wait', action: 'const main = () => new Promise(() => {})' })
  await actions.update({ name: 'twice', sequence: ['/_/add', '/_/add'] } as never)
  await actions.update({ name: 'stopped', sequence: ['/_/add', '/_/fail'] } as never)
})
afterAll(async () => {
  await host.close()
  rmSync(folder, { recursive: true })
})

describe('the outcome of an activation', () => {
  it.each([
    ['add', { n: 2 }],
    ['twice', { n: 3 }],
    ['stopped', { error: 'stop' }],
    ['die', { error: expect.any(String) }],
  ])('is the result of %s', async (name, result) => {
    const id = await openwhisk.invoke(name, { n: 1 })
    await eventually(async () => expect(await openwhisk.resultOf(id)).toEqual(result))
  })

  it('is undefined while it runs, or if it does not exist', async () => {
    expect(await openwhisk.resultOf(await openwhisk.invoke('wait', {}))).toBeUndefined()
    expect(await openwhisk.resultOf('00000000000000000000000000000000')).toBeUndefined()
  })
})
