import { rmSync } from 'node:fs'
import type { ApiHost } from '../../src/local/host/server'
import { connect } from '../../src/openwhisk/client'
import { auth, buildRuntime, clientOf, startTestHost, temporaryFolder } from './api-host'

const folder = temporaryFolder()
let host: ApiHost

beforeAll(async () => {
  host = await startTestHost(buildRuntime(folder))
})
afterAll(async () => {
  await host.close()
  rmSync(folder, { recursive: true })
})

const memoryOf = (name: string) => connect({ apiHost: host.url, auth }, 0).memoryOf(name)

describe('the memory of an action', () => {
  it('is as deployed, or the platform’s default, in MB', async () => {
    const { actions } = clientOf(host)
    await clientOf(host).packages.update({ name: 'p' })
    const action = 'const main = () => ({})'
    await actions.update({ name: 'p/large', action, limits: { memory: 512 } })
    await actions.update({ name: 'p/usual', action })
    expect(await memoryOf('/guest/p/large')).toBe(512)
    expect(await memoryOf('/_/p/usual')).toBe(256)
  })

  it('of a missing action is an error that names it', async () => {
    await expect(memoryOf('/guest/p/none')).rejects.toMatchObject({
      status: 404,
      message: expect.stringContaining('/guest/p/none'),
    })
  })
})
