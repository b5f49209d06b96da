import { rmSync } from 'node:fs'
import type { ApiHost } from '../../src/local/host/server'
import type { Change } from '../../src/openwhisk/deploy/deploy'
import { type RunningLocal, startLocalMode } from '../helpers/local-mode'
import { run, startStore, temporaryFolder } from '../unit/cli-run'
import { auth, buildRuntime, clientOf, temporaryFolder as newFolder, startTestHost } from './api-host'

const folder = temporaryFolder()

describe('whisklens deploy', () => {
  const runtimeFolder = newFolder()
  let host: ApiHost
  let store: Awaited<ReturnType<typeof startStore>>
  let env: NodeJS.ProcessEnv

  beforeAll(async () => {
    host = await startTestHost(buildRuntime(runtimeFolder))
    store = await startStore(folder.path)
    const openwhisk = { WHISKLENS_APIHOST: host.url, WHISKLENS_AUTH: auth }
    env = { ...store.env, ...openwhisk, WHISKLENS_RUNTIME_IMAGE: 'example/whisklens:1' }
  })
  afterAll(async () => {
    await host.close()
    await store.close()
    rmSync(runtimeFolder, { recursive: true })
  })

  const packages = () => clientOf(host).packages.list()

  it('refuses a wrong S3 key before it changes anything, in one line', async () => {
    const wrong = { ...env, WHISKLENS_S3_SECRET_ACCESS_KEY: 'not-the-one' }
    const { code, stderr } = await run(folder.path, ['deploy', '--json'], wrong)
    expect(code).toBe(1)
    const { error } = JSON.parse(stderr.trim().split('\n').at(-1) ?? '')
    expect(error).toMatchObject({
      code: 'access_denied',
      hint: expect.stringContaining('WHISKLENS_S3_ACCESS_KEY_ID'),
    })
    expect(error.message.length).toBeLessThan(200)
    expect(stderr).not.toContain('not-the-one')
    expect(await packages()).toEqual([])
  })

  it('names the settings of the object store if there are none', async () => {
    const { WHISKLENS_S3_ENDPOINT, WHISKLENS_S3_ACCESS_KEY_ID, ...others } = env
    const { code, stderr } = await run(folder.path, ['deploy'], others)
    expect(code).toBe(1)
    expect(stderr).toContain('hint: Set WHISKLENS_S3_ENDPOINT, WHISKLENS_S3_ACCESS_KEY_ID.\n')
    expect(await packages()).toEqual([])
  })

  it('goes on if only the actions reach the store, and says so', async () => {
    const behind = { ...env, WHISKLENS_S3_ENDPOINT: 'http://127.0.0.1:1' }
    const { code, stderr } = await run(folder.path, ['deploy', '--dry-run'], behind)
    expect(code).toBe(0)
    expect(stderr).toContain('\nNot checked: the object store, which does not answer here. ')
  })

  it('prints where it deploys to first, and the address of the gallery last', async () => {
    const dry = await run(folder.path, ['deploy', '--dry-run'], env)
    expect(dry.stderr).toMatch(new RegExp(`^Comparing with ${host.url} as guest\n`))
    expect(dry.stderr).not.toContain('Gallery')
    const tokens = { WHISKLENS_EVENTS_TOKEN: 'events-token', WHISKLENS_RESULTS_TOKEN: 'results-token' }
    const { code, stderr } = await run(folder.path, ['deploy'], { ...env, ...tokens })
    expect(code).toBe(0)
    expect(stderr.split('\n')).toEqual([
      `Deploying to ${host.url} as guest`,
      `14 of 14 entities changed on ${host.url}`,
      `Gallery: ${host.url}/api/v1/web/guest/whisklens/results?token=…   (the token is WHISKLENS_RESULTS_TOKEN)`,
      'Next: whisklens doctor   # checks the deployment',
      '',
    ])
    const removed = await run(folder.path, ['undeploy'], env)
    expect(removed.stderr).toMatch(new RegExp(`^Removing from ${host.url} as guest\n14 entities removed`))
  })
})

describe('whisklens deploy to a running local mode', () => {
  let local: RunningLocal
  beforeAll(async () => {
    local = await startLocalMode(`${folder.path}/.whisklens`)
  })
  afterAll(() => local.stop())

  async function changes(args: string[], env: NodeJS.ProcessEnv = {}) {
    const { code, lines } = await run(folder.path, ['deploy', '--json', ...args], env)
    expect(code).toBe(0)
    const all = lines.map((line) => JSON.parse(line) as Change)
    expect(all).toHaveLength(14)
    return all
      .filter(({ change }) => change !== 'none')
      .map(({ change, name, differs }) => [change, name, differs])
  }

  const galleryStatus = async () => (await fetch(local.connection.gallery)).status

  it('changes nothing', async () => {
    expect(await changes(['--dry-run'])).toEqual([])
  })

  it('changes only what is set, and keeps store, key and tokens', async () => {
    const { endpoint, accessKeyId, secretAccessKey } = local.connection.s3
    const env = {
      WHISKLENS_S3_ENDPOINT: endpoint,
      WHISKLENS_S3_ACCESS_KEY_ID: accessKeyId,
      WHISKLENS_S3_SECRET_ACCESS_KEY: secretAccessKey,
      WHISKLENS_RESULTS_TOKEN: 'other',
      WHISKLENS_GB_SECOND_PRICE: '2',
    }
    expect(await changes([], env)).toEqual([['update', 'whisklens', ['parameter gbSecondPrice']]])
    expect(await galleryStatus()).toBe(200)
    const { stderr } = await run(folder.path, ['deploy', '--dry-run'], env)
    expect(stderr).toContain('WHISKLENS_RESULTS_TOKEN is ignored: the local mode keeps its own token')
    expect(stderr).not.toContain('WHISKLENS_EVENTS_TOKEN')
  })

  it.each([
    ['deploy', []],
    ['undeploy', []],
    ['batch', ['photos/']],
  ])('is refused to %s if the object store is another', async (command, args) => {
    const others = {
      WHISKLENS_S3_ENDPOINT: 'http://127.0.0.1:1',
      WHISKLENS_S3_ACCESS_KEY_ID: 'a',
      WHISKLENS_S3_SECRET_ACCESS_KEY: 'b',
    }
    const { code, stderr } = await run(folder.path, [command, ...args], others)
    expect(code).toBe(1)
    expect(stderr).toMatch(/hint: A local mode is running in \.whisklens\. Stop it, or set WHISKLENS_APIHOST/)
    expect(await galleryStatus()).toBe(200)
  })
})
