import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Container } from '../../src/local/containers/container'
import { imageEnvironment } from '../../src/local/images'
import { buildRuntime, zip } from '../contract/api-host'

describe('the stand-in for an image', () => {
  it.each([
    'max-facial-age-estimator',
    'me/max-facial-age-estimator:1.2',
    'registry.example.com:5000/me/max-facial-age-estimator@sha256:12',
  ])('%s has a model', (image) => {
    expect(imageEnvironment(image)).toMatchObject({
      WHISKLENS_MODEL: 'faces',
      WHISKLENS_MAX_MODEL: 'max-facial-age-estimator',
      WHISKLENS_DEFAULT_ACTION: expect.stringMatching(/predict\.zip$/),
    })
  })

  it('the runtime image has no model by default', () => {
    const environment = imageEnvironment('whisklens-runtime', 256)
    expect(environment).toMatchObject({ WHISKLENS_HOME: expect.any(String), WHISKLENS_MEMORY: '256' })
    expect(environment).not.toHaveProperty('WHISKLENS_MODEL')
  })

  it.each([undefined, '', 'openwhisk/nodejs20', 'constructor', 'max-oracle', 'max-image-classifier/other'])(
    '%s has nothing',
    (image) => expect(imageEnvironment(image)).toEqual({}),
  )
})

describe('a container', () => {
  let folder: string
  let runtime: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'whisklens-container-'))
    runtime = buildRuntime(folder)
    const archive = zip({ 'index.js': 'exports.main = () => ({ by: process.env.WHO })' })
    writeFileSync(join(folder, 'own.zip'), Buffer.from(archive, 'base64'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const started = async (value: object, environment: Record<string, string>) => {
    const home = mkdtempSync(join(folder, 'home-'))
    const container = await Container.start({ runtime, folder: home, memory: 128, environment })
    try {
      const replies = [
        await container.post('/init', { value }, 10_000),
        await container.post('/run', { value: {} }, 10_000),
      ]
      return replies.map((reply) =>
        typeof reply === 'string' ? reply : { status: reply.status, ...JSON.parse(reply.body) },
      )
    } finally {
      await container.stop()
    }
  }
  const own = () => ({ WHISKLENS_DEFAULT_ACTION: join(folder, 'own.zip') })

  it.each([
    ['empty', { code: '', binary: false, main: 'main' }],
    ['absent', {}],
  ])('runs its image’s own action if the code is %s', async (_, given) => {
    const value = { name: 'n', env: { WHO: 'the image' }, ...given }
    expect(await started(value, own())).toEqual([
      { status: 200, OK: true },
      { status: 200, by: 'the image' },
    ])
  })

  it('runs its own code', async () => {
    const value = { main: 'other', code: 'const other = () => ({ by: "its code" })', binary: false }
    expect((await started(value, own()))[1]).toEqual({ status: 200, by: 'its code' })
  })

  it('has nothing to run if its image has no action', async () => {
    const [init] = await started({ name: 'n', main: 'main', code: '' }, {})
    expect(init).toEqual({ status: 403, error: 'Missing main/no code to execute.' })
  })
})
