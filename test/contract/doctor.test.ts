import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import S3 from 'ibm-cos-sdk/clients/s3'
import type { Finding } from '../../src/cli/doctor/finding'
import { openwhiskLimits } from '../../src/local/host/limits'
import type { ApiHost } from '../../src/local/host/server'
import { passOn, startStoreProxy } from '../helpers/store-proxy'
import { run, startStore, temporaryFolder } from '../unit/cli-run'
import { auth, buildRuntime, clientOf, temporaryFolder as newFolder, startTestHost, zip } from './api-host'

const folder = temporaryFolder()
const runtimeFolder = newFolder()
let host: ApiHost
let store: Awaited<ReturnType<typeof startStore>>
let env: NodeJS.ProcessEnv

beforeAll(async () => {
  host = await startTestHost(buildRuntime(runtimeFolder), { limits: openwhiskLimits })
  store = await startStore(folder.path)
  // Without a valid model, the engine checks end immediately.
  const openwhisk = { WHISKLENS_APIHOST: host.url, WHISKLENS_AUTH: auth, WHISKLENS_MODEL: 'nonsense' }
  env = { ...store.env, ...openwhisk, WHISKLENS_RUNTIME_IMAGE: 'example/whisklens:1' }
})
afterAll(async () => {
  await host.close()
  await store.close()
  rmSync(runtimeFolder, { recursive: true })
})

async function doctor(more: NodeJS.ProcessEnv = {}): Promise<Record<string, Finding>> {
  const { lines } = await run(folder.path, ['doctor', '--json'], { ...env, ...more })
  const findings = lines.map((line) => JSON.parse(line) as Finding)
  return Object.fromEntries(findings.map((finding) => [finding.name, finding]))
}

it('reports kinds, limits and a missing deployment', async () => {
  const { openwhisk, limits, deployment } = await doctor()
  expect(openwhisk).toMatchObject({
    state: 'ok',
    detail: expect.stringMatching(/namespace guest; kinds .*nodejs:20.*; new actions get nodejs:\d+$/),
  })
  expect(limits).toMatchObject({
    state: 'ok',
    detail: '60 invocations and 60 trigger fires per minute, 30 concurrent invocations',
  })
  expect(deployment).toMatchObject({ state: 'absent', hint: 'whisklens deploy' })
})

it('reports a wrong key', async () => {
  const { openwhisk } = await doctor({ WHISKLENS_AUTH: 'uuid:other' })
  expect(openwhisk).toMatchObject({ state: 'failed', hint: expect.stringContaining('API key') })
})

it('reports deployed versions, and whether their code is of this build', async () => {
  expect((await run(folder.path, ['deploy'], env)).code).toBe(0)
  const { deployment: built, alarms } = await doctor()
  expect(built).toMatchObject({
    state: 'ok',
    detail: expect.stringMatching(/whisklens\/classify 0\.0\.1, .*; same code as this build$/),
  })
  expect(alarms).toMatchObject({ state: 'ok', detail: expect.stringContaining('polled') })
  const action = { exec: { kind: 'nodejs:20', code: zip({ 'index.js': 'exports.main = () => ({})' }) } }
  await clientOf(host).actions.update({ name: 'whisklens/aggregate', action } as never)
  expect((await doctor()).deployment).toMatchObject({
    state: 'absent',
    detail: expect.stringMatching(
      /whisklens\/aggregate 0\.0\.2.*; code differs from this build: whisklens\/aggregate$/,
    ),
    hint: 'whisklens deploy',
  })
})

it('prefers the limits of the namespace to those of the host, and reports missing alarms', async () => {
  const before = await startStoreProxy(host.url, async (incoming, outgoing, onward) => {
    const isLimits = incoming.url === '/api/v1/namespaces/_/limits'
    if (!isLimits && !incoming.url?.includes('whisk.system')) return passOn(await onward(), outgoing)
    const own = { invocationsPerMinute: 3000, concurrentInvocations: 100, firesPerMinute: 600 }
    outgoing.writeHead(isLimits ? 200 : 404, { 'content-type': 'application/json' })
    outgoing.end(JSON.stringify(isLimits ? own : { error: 'The requested resource does not exist.' }))
  })
  try {
    const { limits, alarms } = await doctor({ WHISKLENS_APIHOST: before.endpoint })
    expect(limits?.detail).toBe(
      '3000 invocations and 600 trigger fires per minute, 100 concurrent invocations',
    )
    expect(alarms).toMatchObject({
      state: 'absent',
      detail: expect.stringContaining('uploads whose notifications were all refused wait for the next'),
      hint: expect.stringContaining('docs/events.md'),
    })
  } finally {
    await before.close()
  }
})

describe('CORS of the results bucket', () => {
  let s3: S3
  beforeAll(() => {
    s3 = new S3({
      endpoint: env.WHISKLENS_S3_ENDPOINT,
      accessKeyId: env.WHISKLENS_S3_ACCESS_KEY_ID,
      secretAccessKey: env.WHISKLENS_S3_SECRET_ACCESS_KEY,
      s3ForcePathStyle: true,
      signatureVersion: 'v4',
    })
  })
  afterEach(() => s3.deleteBucketCors({ Bucket: 'results' }).promise())

  it('is checked, with the command to fix it', async () => {
    const gallery = `${host.url}/api/v1/web/guest/whisklens/results`
    const { gallery: refused } = await doctor()
    expect(refused).toMatchObject({
      state: 'absent',
      detail: expect.stringContaining(`${gallery} cannot read results: reading objects is not allowed`),
      hint: expect.stringMatching(
        /^aws s3api put-bucket-cors --endpoint-url http\S+ --bucket results --cors-config/,
      ),
    })
    const [, rules = ''] = /--cors-configuration (.+)$/s.exec(refused?.hint ?? '') ?? []
    const CORSConfiguration = JSON.parse(
      execFileSync('sh', ['-c', `printf %s ${rules}`], { encoding: 'utf8' }),
    )
    await s3.putBucketCors({ Bucket: 'results', CORSConfiguration }).promise()
    expect((await doctor()).gallery).toEqual({
      name: 'gallery',
      state: 'ok',
      detail: `${gallery} may read results`,
    })
  })

  it('is checked for missing headers, and for other origins', async () => {
    const rule = { AllowedMethods: ['GET'], AllowedOrigins: [host.url] }
    await s3.putBucketCors({ Bucket: 'results', CORSConfiguration: { CORSRules: [rule] } }).promise()
    expect((await doctor()).gallery?.detail).toMatch(/: Content-Range is not exposed; Range is not allowed$/)
    const other = { ...rule, AllowedOrigins: ['https://apihost.example.com'] }
    await s3.putBucketCors({ Bucket: 'results', CORSConfiguration: { CORSRules: [other] } }).promise()
    expect((await doctor()).gallery?.detail).toMatch(
      /: reading objects is not allowed; Range is not allowed$/,
    )
  })
})
