import sharp, { type Exif } from 'sharp'
import { main } from '../../actions/classify'
import { writeChunk } from '../../src/batch/records/chunks'
import { classifiedSchema } from '../../src/batch/running/aggregate'
import type { Bucket } from '../../src/storage/store'
import { type Bundle, bundle } from '../helpers/bundle'
import { pngClaiming, sample } from '../helpers/images'
import { startTestStore, type TestStore } from './batch-fixtures'

/** An event without an image to classify. */
const deletion = {
  Records: [
    { eventName: 's3:ObjectRemoved:Delete', s3: { bucket: { name: 'images' }, object: { key: 'a.jpg' } } },
  ],
  s3Endpoint: 'http://127.0.0.1:9',
  s3AccessKeyId: 'a',
  s3SecretAccessKey: 'b',
}

/** The bundled action, run in its own process. */
let action: Bundle

beforeAll(async () => {
  action = await bundle('test/helpers/run-classify-child.ts')
})
afterAll(() => action.remove())

const base64 = (name: string): string => sample(name).toString('base64')

/** The error that OpenWhisk's clients show for a failed action. */
const refusal = async (params: Record<string, unknown>): Promise<string> => {
  const answer = (await main(params)) as { error?: string }
  expect(Object.keys(answer)).toEqual(['error'])
  return answer.error ?? ''
}

describe('{image: base64}', () => {
  it('returns exactly {results: [{className, probability} × 3]}, most probable first', async () => {
    const answer = (await main({ image: base64('cat') })) as { results: { probability: number }[] }
    expect(answer).toStrictEqual({
      results: [
        { className: 'tiger cat', probability: expect.closeTo(0.37, 1) },
        { className: 'Egyptian cat', probability: expect.closeTo(0.36, 1) },
        { className: 'tabby, tabby cat', probability: expect.closeTo(0.17, 1) },
      ],
    })
    const probabilities = answer.results.map(({ probability }) => probability)
    expect(probabilities).toEqual([...probabilities].sort((a, b) => b - a))
  })

  it('is plain JSON', async () => {
    const answer = await main({ image: base64('coffee') })
    expect(JSON.parse(JSON.stringify(answer))).toEqual(answer)
  })

  it('accepts line breaks in base64, as written by command-line tools', async () => {
    const wrapped = base64('coffee').replace(/.{76}/g, '$&\n')
    expect(await main({ image: wrapped })).toEqual(await main({ image: base64('coffee') }))
  })

  it('accepts a data: URL, URL-safe base64, and base64 whose + became spaces', async () => {
    const photo = base64('coffee')
    expect(photo).toContain('+')
    const sent = [
      `data:image/jpeg;base64,${photo}`,
      photo.replaceAll('+', '-').replaceAll('/', '_'),
      photo.replaceAll('+', ' '),
    ]
    for (const image of sent) expect(await main({ image })).toEqual(await main({ image: photo }))
  })

  it('ignores settings that wskdeploy left empty or unresolved', async () => {
    const settings = {
      s3Endpoint: '',
      resultsToken: '$WHISKLENS_RESULTS_TOKEN',
      defaultModel: '$WHISKLENS_MODEL',
      model: '',
      engine: '$WHISKLENS_ENGINE',
    }
    expect(await main({ image: base64('camera'), ...settings })).toMatchObject({
      results: [{ className: 'tripod' }, {}, {}],
    })
  })

  it.each([
    ['text', Buffer.from('no photo').toString('base64'), 'image_unsupported'],
    ['half a photo', sample('cat').subarray(0, 20_000).toString('base64'), 'image_corrupt'],
    ['a giant', pngClaiming(60_000, 60_000).toString('base64'), 'image_too_large'],
    ['no base64', '!!!', 'bad_parameter'],
    ['a URL', 'https://example.com/cat.jpg', 'bad_parameter'],
    ['nothing but a data: URL', 'data:image/jpeg;base64,', 'image_empty'],
  ])('refuses %s', async (_, image, code) => {
    expect(await refusal({ image })).toContain(`(${code})`)
  })
})

describe('other messages', () => {
  it('{describe: true} names the model and the engine', async () => {
    expect(await main({ describe: true })).toEqual({
      model: expect.stringMatching(/^efficientnet-lite0-int8@[0-9a-f]{8}$/),
      engine: 'onnx',
      decoder: expect.stringMatching(/^sharp /),
    })
  })

  it.each([
    ['nothing', {}],
    ['an empty image', { image: '' }],
    ['an image that is a number', { image: 42 }],
    ['an image that is an object', { image: { bucket: 'a' } }],
    ['describe that is not true', { describe: 'yes' }],
    ['images that are no list', { images: 'photos/cat.jpg' }],
    ['images without a key', { images: [{ bucket: 'images' }] }],
    ['a chunk without its range', { batch: 'b', start: 0, end: 10 }],
    ['a bucket without a key', { bucket: 'images' }],
  ])('%s is refused with what is expected', async (_, params) => {
    const error = await refusal(params)
    expect(error).toContain('Expected an image to classify (bad_parameter)')
    expect(error).toContain('image (base64)')
  })

  it('images without a store are refused with the missing settings', async () => {
    const error = await refusal({ images: [{ bucket: 'images', key: 'a.jpg' }] })
    expect(error).toContain('(not_configured)')
    expect(error).toContain('WHISKLENS_S3_ENDPOINT')
  })

  it.each([
    ['an unknown model', { model: 'resnet-9000' }, 'resnet-9000', 'model_not_found'],
    ['an unknown model of the deployment', { defaultModel: 'resnet-9000' }, 'resnet-9000', 'model_not_found'],
    ['an unknown engine', { engine: 'abacus' }, 'abacus', 'bad_setting'],
    ['a setting that is no text', { model: 7 }, 'model', 'bad_setting'],
  ])('%s is refused by name', async (_, settings, named, code) => {
    const error = await refusal({ image: base64('cat'), ...settings })
    expect(error).toContain(`(${code})`)
    expect(error).toContain(named)
  })

  it('are classified with the requested model, else with the deployment’s', async () => {
    const asked = { describe: true, defaultModel: 'resnet-9000', model: 'efficientnet-lite0' }
    expect(await main(asked)).toMatchObject({ model: expect.stringMatching(/^efficientnet-lite0@/) })
  })

  it('a notification with deletions only has no images', async () => {
    expect(await main(deletion)).toEqual({ images: [], spent: expect.anything() })
  })
})

describe('usage of an activation', () => {
  let objects: TestStore
  let photos: Bucket
  let results: Bucket
  const answerTo = async (message: object) => {
    const { settings } = objects
    return classifiedSchema.parse(await main({ ...settings, ...message, resultsBucket: results.name }))
  }

  beforeAll(async () => {
    objects = await startTestStore()
    photos = await objects.newBucket()
    results = await objects.newBucket()
    await photos.put('cat.jpg', sample('cat'))
  })
  afterAll(() => objects.close())

  it('is reported with the records of a piece of a batch, of a list and of an event', async () => {
    const image = { bucket: photos.name, key: 'cat.jpg' }
    await writeChunk(results, 'b1', { start: 0, end: 2, epoch: 1 }, [image, image])
    const answers = [
      await answerTo({ batch: 'b1', chunk: { start: 0, end: 2, epoch: 1 }, by: 1, start: 1, end: 2 }),
      await answerTo({ images: [image] }),
      await answerTo(image),
    ]
    for (const { images, spent } of answers) {
      expect(images).toMatchObject([{ key: 'cat.jpg', status: 'ok' }])
      expect(spent?.container).toBe(answers[0]?.spent?.container)
      expect(spent?.ms).toBeGreaterThan(0)
    }
  })

  it('is reported even if a record of the event is invalid, or of another store', async () => {
    const record = (object: object) => ({
      eventName: 'ObjectCreated:Put',
      s3: { bucket: { name: photos.name }, object },
    })
    for (const message of [
      { Records: [record({}), record({ key: 'cat.jpg' }), {}] },
      { account: '1', action: 'PutObject', bucket: photos.name, object: { key: 'cat.jpg' } },
    ])
      expect((await answerTo(message)).images).toMatchObject([{ key: 'cat.jpg', status: 'ok' }])
    expect(await refusal({ Records: [record({})] })).toContain('(bad_parameter)')
  })

  it('includes the GPS position only if the batch requests it, and passes that on', async () => {
    const gps = {
      GPSLatitudeRef: 'S',
      GPSLatitude: '33/1 51/1 0/1',
      GPSLongitudeRef: 'E',
      GPSLongitude: '151/1 12/1 0/1',
    }
    const exif = { IFD0: { Make: 'Leica' }, IFD3: gps } as Exif
    await photos.put('taken.jpg', await sharp(sample('cat')).withExif(exif).jpeg().toBuffer())
    const chunk = { start: 0, end: 1, epoch: 1 }
    await writeChunk(results, 'b2', chunk, [{ bucket: photos.name, key: 'taken.jpg' }])
    const message = { batch: 'b2', chunk, by: 1, start: 0, end: 1 }
    const plain = await answerTo(message)
    expect(plain.images[0]?.exif).toEqual({ camera: 'Leica' })
    const { images, part } = await answerTo({ ...message, exif: 'position' })
    expect(images[0]?.exif).toEqual({ camera: 'Leica', position: { latitude: -33.85, longitude: 151.2 } })
    expect([plain.part?.exif, part?.exif]).toEqual([undefined, 'position'])
  })

  it('comes with thumbnails in the results bucket if the deployment enables them', async () => {
    const image = { bucket: photos.name, key: 'cat.jpg' }
    for (const message of [{ images: [image] }, image]) {
      const [record] = (await answerTo({ ...message, thumbnails: 'true' })).images
      expect(record?.thumbnail).toMatchObject({ width: 320, height: 213 })
      expect((await results.get(record?.thumbnail?.key ?? '')).size).toBe(record?.thumbnail?.bytes)
    }
    for (const thumbnails of ['false', undefined])
      expect((await answerTo({ images: [image], thumbnails })).images[0]).not.toHaveProperty('thumbnail')
  })

  it('names its process', async () => {
    const runs = [await action.run([JSON.stringify(deletion)]), await action.run([JSON.stringify(deletion)])]
    const containers = runs.map(({ stdout }) => JSON.parse(stdout).spent.container)
    for (const container of containers) expect(container).toMatch(/^[0-9a-f]{8}$/)
    expect(containers[0]).not.toBe(containers[1])
  })

  it('is not reported for a single image, whose answer has a fixed format', async () => {
    expect(Object.keys(await main({ image: base64('cat') }))).toEqual(['results'])
  })
})

describe('the log', () => {
  const photo = JSON.stringify({ image: base64('cat') })
  const run = (level?: string) =>
    action.run([photo], level === undefined ? {} : { WHISKLENS_LOG_LEVEL: level })

  it('has every stage and its milliseconds at debug level', async () => {
    const { stdout, stderr } = await run('debug')
    expect(JSON.parse(stdout)).toMatchObject({ results: [{ className: 'tiger cat' }, {}, {}] })
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const stages = lines.map(({ stage }) => stage)
    expect(stages).toEqual(['loadModel', 'decodeImage', 'imageToInput', 'classify', 'memory', 'main'])
    for (const line of lines) expect(line).toMatchObject({ level: 'debug', msg: line.stage })
    for (const line of lines.filter(({ stage }) => stage !== 'memory'))
      expect(line.ms).toBeGreaterThanOrEqual(0)
    expect(lines[0]).toMatchObject({ model: 'default', engine: 'auto' })
    expect(lines[4]).toMatchObject({ rss: expect.any(Number) })
  })

  it('is otherwise silent', async () => {
    const { stdout, stderr } = await run()
    expect(JSON.parse(stdout)).toHaveProperty('results')
    expect(stderr).toBe('')
  })
})
