import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { ImageRecord } from '../../src/schema'
import { parseLines } from '../helpers/clients'
import { eventually, newDataDir, removeDataDir, whisklens } from '../helpers/local-mode'
import { type LocalByTls, startLocalModeByTls } from '../helpers/local-mode-tls'
import type { TlsFront } from '../helpers/tls'

const samples = join(__dirname, '..', '..', 'samples')

let dataDir: string
let running: LocalByTls | undefined
let api: TlsFront
let store: TlsFront
let env: NodeJS.ProcessEnv
let trusting: NodeJS.ProcessEnv

beforeAll(async () => {
  dataDir = await newDataDir()
  running = await startLocalModeByTls(dataDir)
  api = running.api
  store = running.store
  const { auth, s3, webToken } = running.local.connection
  const { eventsToken } = JSON.parse(await readFile(join(dataDir, 'secrets.json'), 'utf8'))
  env = {
    HOME: dataDir,
    WHISKLENS_APIHOST: api.url,
    WHISKLENS_AUTH: auth,
    WHISKLENS_S3_ENDPOINT: store.url,
    WHISKLENS_S3_ACCESS_KEY_ID: s3.accessKeyId,
    WHISKLENS_S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    WHISKLENS_RUNTIME_IMAGE: 'whisklens-runtime',
    WHISKLENS_EVENTS_TOKEN: eventsToken,
    WHISKLENS_RESULTS_TOKEN: webToken,
  }
  const path = join(dataDir, 'ca.pem')
  await writeFile(path, store.ca)
  trusting = { ...env, WHISKLENS_CA: path }
})

afterAll(async () => {
  await running?.stop()
  await removeDataDir(dataDir)
})

const warned = /^warning: --insecure: certificates are not checked/
const untrusted =
  /certificate is not trusted: .*\nhint: Set WHISKLENS_CA to the certificate of its authority, in PEM; the command line also takes --insecure\.\n$/

/** GET, trusting the authority. */
async function get(url: string): Promise<string> {
  const sent = request(url, { ca: store.ca }).end()
  const [response] = await once(sent, 'response')
  return text(response)
}

const upload = (name: string, prefix: string) => ['upload', join(samples, name), '--prefix', prefix]

it.each([
  ['deploy', 'API host', ['deploy', '--dry-run']],
  ['upload', 'store', upload('cat.jpg', 'x/')],
  ['results', 'store', ['results']],
  ['batch', 'store', ['batch', 'x/']],
])('without the authority, refuses to %s: the certificate of the %s is not trusted', async (_, of, args) => {
  const [apiBefore, storeBefore] = [api.attempts(), store.attempts()]
  const { code, stderr } = await whisklens(args, env)
  expect(code).toBe(1)
  expect(stderr).toMatch(untrusted)
  expect(stderr).toContain(`${of}'s certificate is not trusted`)
  // Not retried.
  expect(api.attempts() + store.attempts() - apiBefore - storeBefore).toBe(1)
})

it('classifies uploads and batches with API host and store on TLS only', async () => {
  expect(await whisklens(['deploy', '--quiet'], trusting)).toMatchObject({ code: 0, stderr: '' })
  const before = api.attempts()
  expect((await whisklens(upload('cat.jpg', 'tls/'), trusting)).code).toBe(0)
  const day = `uploads-${new Date().toISOString().slice(0, 10)}`
  // The bucket's notification runs bucket-events, classify and aggregate.
  await eventually(async () => (await whisklens(['status', day], trusting)).code === 0, 'the uploaded image')
  // The later commands use only the store, so bucket-events called the API host.
  expect(api.attempts()).toBeGreaterThan(before)
  const batch = await whisklens(['batch', 'tls/', '--force', '--batch', 'by-tls', '--json'], trusting)
  expect(batch).toMatchObject({ code: 0 })
  const { stdout } = await whisklens(['results', 'by-tls', '--json'], trusting)
  expect(parseLines<ImageRecord>(stdout)).toMatchObject([{ key: 'tls/cat.jpg', status: 'ok' }])
})

it('shows results over TLS, with links to images over TLS', async () => {
  const page = `${api.url}/api/v1/web/guest/whisklens/results`
  const { records } = JSON.parse(
    await get(`${page}?batch=by-tls&format=json&urls=true&token=${env.WHISKLENS_RESULTS_TOKEN}`),
  )
  expect(records[0].url).toMatch(store.url)
  expect(await get(records[0].url)).toBe((await readFile(join(samples, 'cat.jpg'))).toString())
})

it('accepts the authority as text, and with lost line breaks', async () => {
  for (const ca of [store.ca, store.ca.replaceAll('\n', '\\n'), Buffer.from(store.ca).toString('base64')]) {
    expect(await whisklens(['deploy', '--dry-run', '--json'], { ...env, WHISKLENS_CA: ca })).toMatchObject({
      code: 0,
      stdout: expect.not.stringMatching(/"(create|update)"/),
    })
  }
})

it('works with --insecure, and warns', async () => {
  const commands = [
    ['deploy', '--dry-run'],
    upload('coffee.jpg', 'tls/'),
    ['batch', 'tls/', '--batch', 'insecure'],
    ['results', 'insecure'],
  ]
  for (const args of commands) {
    const { code, stderr } = await whisklens([...args, '--insecure'], env)
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(warned) })
  }
})

it('makes the actions check certificates regardless', async () => {
  // The feed is the first action to need the authority, which this deployment does not set.
  const deploy = await whisklens(['deploy', '-i'], env)
  expect(deploy).toMatchObject({ code: 1, stderr: expect.stringMatching(/bucket-feed.*WHISKLENS_CA/) })
  const { code, stderr } = await whisklens(['batch', 'tls/', '-i', '--quiet'], env)
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(untrusted) })
})
