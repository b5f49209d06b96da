import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Container } from '../../src/local/containers/container'
import { peerLibraries } from '../../src/model-folder/peer-libraries'
import { heicFixture } from '../helpers/heic'
import { plain, sample } from '../helpers/images'
import { describeWith } from '../helpers/peer-models'
import { removeRuntimeImages, writeRuntimeImage } from '../helpers/runtime-image'
import { writeSmallDetector } from '../helpers/small-detector'

/*
 * Contents of the Dockerfile's image, written by the same script and started by its command, in a container that
 * contains nothing else of this checkout.
 */

const root = join(__dirname, '..', '..')
const folders: string[] = []
afterAll(() => {
  removeRuntimeImages()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** @param from folder with the weights, instead of a download */
const writeImage = (model: string, from?: string): Promise<string> =>
  writeRuntimeImage('--engine', 'wasm', '--models', model, ...(from ? ['--from', from] : []))

/** POSTs a photo to the image's root URL. @returns predictions */
async function predict(image: string, model: string, max: string, photo: Buffer): Promise<object[]> {
  const home = join(image, '..', `home-${max}`)
  mkdirSync(home)
  const container = await Container.start({
    runtime: join(root, 'dist', 'runtime.cjs'),
    folder: home,
    memory: 512,
    environment: {
      WHISKLENS_HOME: image,
      NODE_PATH: join(image, 'node_modules'),
      WHISKLENS_ENGINE: 'wasm',
      WHISKLENS_MODEL: model,
      WHISKLENS_MAX_MODEL: max,
      WHISKLENS_DEFAULT_ACTION: join(image, 'predict.zip'),
    },
  })
  const post = async (path: '/init' | '/run', body: object) => {
    const reply = await container.post(path, body, 120_000)
    if (typeof reply === 'string') throw new Error(`the container ended: ${reply}`)
    expect(reply).toMatchObject({ status: 200 })
    return JSON.parse(reply.body)
  }
  try {
    const form = new FormData()
    form.append('image', new Blob([new Uint8Array(photo)]), 'photo.jpg')
    const request = new Request('http://model.test', { method: 'POST', body: form })
    await post('/init', { value: { name: max, main: 'main', code: '', binary: false, env: {} } })
    const answer = await post('/run', {
      value: {
        __ow_method: 'post',
        __ow_headers: Object.fromEntries(request.headers),
        __ow_path: '',
        __ow_body: Buffer.from(await request.arrayBuffer()).toString('base64'),
      },
    })
    expect(answer).toMatchObject({ statusCode: 200, body: { status: 'ok' } })
    return answer.body.predictions
  } finally {
    await container.stop()
  }
}

/** Names and versions of all packages in an image. */
const installedIn = (image: string): [string, string][] =>
  readdirSync(join(image, 'node_modules'), { recursive: true, encoding: 'utf8' })
    .filter((path) => /(^|node_modules\/)(@[^/]+\/)?[^/]+\/package\.json$/.test(path))
    .map((path) => JSON.parse(readFileSync(join(image, 'node_modules', path), 'utf8')))
    .map(({ name, version }) => [name, version])

describe('the runtime image', () => {
  it('classifies with its own packages', async () => {
    const image = await writeImage('efficientnet-lite0')
    expect(readdirSync(image).sort()).toEqual([
      'THIRD-PARTY-NOTICES.txt',
      'models',
      'node-util.cjs',
      'node_modules',
      'packages.json',
      'predict.zip',
      'wasm',
      'without-code.cjs',
    ])
    expect(existsSync(join(image, 'node_modules', '@vladmandic'))).toBe(false)
    const packages = JSON.parse(readFileSync(join(image, 'packages.json'), 'utf8'))
    expect(Object.keys(packages).sort()).toEqual([
      '@tensorflow-models/mobilenet',
      '@tensorflow/tfjs',
      'jpeg-js',
      'libheif-js',
      'sharp',
    ])
    for (const [name, version] of Object.entries(packages)) {
      const installed = join(image, 'node_modules', name, 'package.json')
      expect([name, JSON.parse(readFileSync(installed, 'utf8')).version]).toEqual([name, version])
    }
    const notices = readFileSync(join(image, 'THIRD-PARTY-NOTICES.txt'), 'utf8')
    for (const [name, version] of installedIn(image)) expect(notices).toContain(`\n${name} ${version} (`)
    expect(notices).toMatch(/\| libvips +\| LGPLv3/)
    for (const text of ['models/efficientnet-lite0 (', 'WordNet 3.0', 'google/XNNPACK'])
      expect(notices).toContain(text)
    const [cat] = await predict(image, 'efficientnet-lite0', 'max-image-classifier', heicFixture('cat'))
    expect(cat).toMatchObject({ label: expect.stringContaining('cat') })
    const [first] = await predict(image, 'efficientnet-lite0', 'max-image-classifier', sample('coffee'))
    expect(first).toMatchObject({ label_id: 'n07920052', label: 'espresso' })
  })

  it('is not built for an unknown model or engine', async () => {
    await expect(writeImage('oracle')).rejects.toMatchObject({ stderr: expect.stringContaining('"oracle"') })
  })

  describeWith(peerLibraries.cocoSsd, 'with coco-ssd', () => {
    it('detects objects', async () => {
      const weights = mkdtempSync(join(tmpdir(), 'whisklens-weights-'))
      folders.push(weights)
      writeSmallDetector(weights)
      const image = await writeImage('coco-ssd', weights)
      const photo = await plain(300, 200, '#ff0000').jpeg().toBuffer()
      expect(await predict(image, 'coco-ssd', 'max-object-detector', photo)).toEqual([
        expect.objectContaining({ label_id: '88', label: 'teddy bear' }),
      ])
    })
  })

  describeWith(peerLibraries.faceApi, 'with faces', () => {
    it('has its library, without files that are never loaded', async () => {
      const image = await writeImage('faces')
      expect(readdirSync(join(image, 'models'))).toEqual(['faces'])
      const library = join(image, 'node_modules', '@vladmandic', 'face-api')
      expect(readdirSync(join(library, 'dist'))).toEqual(['face-api.node-wasm.js'])
      const [emotion] = await predict(image, 'faces', 'max-facial-emotion-classifier', sample('astronaut'))
      expect(emotion).toMatchObject({
        emotion_predictions: expect.arrayContaining([expect.objectContaining({ label: 'happiness' })]),
      })
      const [age] = await predict(image, 'faces', 'max-facial-age-estimator', sample('astronaut'))
      expect(age).toMatchObject({ age_estimation: expect.any(Number) })
    })
  })
})
