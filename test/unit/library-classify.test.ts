import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  type ClassifyAllOptions,
  classify,
  classifyAll,
  ImageError,
  type ImageSource,
  openModel,
  WhisklensError,
} from '../../src'
import { sample } from '../helpers/images'
import { samples, startStore, temporaryFolder } from './cli-run'

const folder = temporaryFolder()
const at = (...path: string[]) => join(folder.path, ...path)
let store: Awaited<ReturnType<typeof startStore>>
let connection: ClassifyAllOptions['connection']

beforeAll(async () => {
  store = await startStore(folder.path)
  connection = {
    s3Endpoint: store.env.WHISKLENS_S3_ENDPOINT,
    s3AccessKeyId: store.env.WHISKLENS_S3_ACCESS_KEY_ID,
    s3SecretAccessKey: store.env.WHISKLENS_S3_SECRET_ACCESS_KEY,
  }
  await mkdir(at('photos', 'more'), { recursive: true })
  await writeFile(at('photos', 'a.jpg'), sample('cat'))
  await writeFile(at('photos', 'b.jpg'), 'this is no photo')
  await writeFile(at('photos', 'more', 'c.jpg'), sample('coffee'))
  await writeFile(at('photos', 'notes.txt'), 'neither is this')
  await store.images.put('2026/cat.jpg', sample('cat'))
  await store.images.put('2026/coffee.jpg', sample('coffee'))
})
afterAll(() => store.close())

async function all(images: Parameters<typeof classifyAll>[0], options?: ClassifyAllOptions) {
  const found: [file: string, outcome: string | undefined][] = []
  for await (const { file, labels, error } of classifyAll(images, options))
    found.push([file, error?.code ?? labels[0]?.label])
  return found
}

describe('classify', () => {
  it.each<[string, () => ImageSource]>([
    ['a path', () => join(samples, 'coffee.jpg')],
    ['bytes', () => sample('coffee')],
    ['a part of other bytes', () => Buffer.concat([Buffer.alloc(9), sample('coffee')]).subarray(9)],
    ['bytes with a name', () => ({ name: 'c', bytes: sample('coffee') })],
    ['the URL of a file', () => pathToFileURL(join(samples, 'coffee.jpg'))],
    ['an object', () => 's3://images/2026/coffee.jpg'],
  ])('accepts %s', async (_, image) => {
    const { labels, width, height, format, timings } = await classify(image(), { connection })
    expect(labels).toHaveLength(5)
    expect(labels[0]).toMatchObject({ label: 'espresso', probability: expect.any(Number) })
    expect({ width, height, format }).toEqual({ width: 600, height: 400, format: 'jpeg' })
    expect(timings.infer).toBeGreaterThan(0)
  })

  it('returns the requested number of labels, with the named model and engine', async () => {
    const found = await classify(sample('cat'), { top: 1, model: 'efficientnet-lite0', engine: 'wasm' })
    expect(found).toMatchObject({
      labels: [{ label: 'tiger cat' }],
      engine: 'wasm',
      model: expect.stringMatching(/^efficientnet-lite0@/),
    })
  })

  it('throws errors with codes', async () => {
    await expect(classify('nowhere.jpg')).rejects.toMatchObject({ code: 'file_not_found' })
    await expect(classify(at('photos'))).rejects.toMatchObject({ code: 'file_unreadable' })
    await expect(classify(at('photos', 'b.jpg'))).rejects.toBeInstanceOf(ImageError)
    await expect(classify('s3://images/none.jpg', { connection })).rejects.toMatchObject({
      code: 'object_not_found',
    })
    await expect(classify(sample('cat'), { model: 'none' })).rejects.toMatchObject({
      code: 'model_not_found',
    })
    await expect(classify(sample('cat'), { engine: 'none' })).rejects.toMatchObject({ code: 'bad_setting' })
    await expect(classify(sample('cat'), { top: 0 })).rejects.toMatchObject({ code: 'bad_parameter' })
    await expect(classify(sample('cat'), { tpo: 5 } as never)).rejects.toMatchObject({
      code: 'bad_parameter',
    })
    await expect(classify(5 as never)).rejects.toMatchObject({ code: 'bad_parameter' })
    await expect(classify('')).rejects.toMatchObject({ code: 'bad_parameter' })
  })
})

describe('a model', () => {
  it('describes itself', async () => {
    expect(await openModel('efficientnet-lite0', { engine: 'wasm' })).toMatchObject({
      id: 'efficientnet-lite0',
      version: expect.stringMatching(/^efficientnet-lite0@[0-9a-f]{8}$/),
      engine: 'wasm',
      task: 'classification',
      classes: 1000,
      inputSize: 224,
    })
  })

  it('is opened by its folder', async () => {
    const model = await openModel(join(samples, '..', 'models', 'efficientnet-lite0'))
    expect(model.id).toBe('efficientnet-lite0')
  })
})

describe('classifyAll', () => {
  it('classifies a folder in name order, and reports skipped files', async () => {
    const skipped: string[] = []
    expect(await all(at('photos'), { onSkip: (file) => skipped.push(file) })).toEqual([
      [at('photos', 'a.jpg'), 'tiger cat'],
      [at('photos', 'b.jpg'), 'image_unsupported'],
      [at('photos', 'more', 'c.jpg'), 'espresso'],
    ])
    expect(skipped).toEqual([at('photos', 'notes.txt')])
  })

  it('classifies globs, bucket prefixes and bytes, in order', async () => {
    async function* images(): AsyncGenerator<ImageSource> {
      yield at('photos', '**', '*.jpg').replace('b.jpg', '')
      yield 's3://images/2026/'
      yield { name: 'upload', bytes: sample('cat') }
    }
    const found = await all(images(), { connection })
    expect(found.slice(3)).toEqual([
      ['s3://images/2026/cat.jpg', 'tiger cat'],
      ['s3://images/2026/coffee.jpg', 'espresso'],
      ['upload', 'tiger cat'],
    ])
  })

  it('uses worker threads for more than a few images, with the same results and order', async () => {
    const images = Array.from({ length: 60 }, (_, n) => ({
      name: `${n}`,
      bytes: n === 40 ? Buffer.from('broken') : sample(n % 2 ? 'cat' : 'coffee'),
    }))
    const expected = images.map(({ name }, n) => [
      name,
      n === 40 ? 'image_unsupported' : n % 2 ? 'tiger cat' : 'espresso',
    ])
    expect(await all(images, { threads: 2 })).toEqual(expected)
    expect(await all(images, { threads: 0 })).toEqual(expected)
  })

  it('reads ahead no further than needed, and ends with the iteration', async () => {
    let asked = 0
    function* images() {
      for (; asked < 100_000; asked++) yield join(samples, 'cat.jpg')
    }
    for await (const _ of classifyAll(images(), { threads: 1 })) break
    expect(asked).toBeLessThan(100)
  })

  it('fails if no image can be classified', async () => {
    await expect(all(at('photos'), { threads: 1.5 })).rejects.toMatchObject({ code: 'bad_parameter' })
    await expect(all('s3:///x', { connection })).rejects.toBeInstanceOf(WhisklensError)
    await expect(all([at('photos'), 7 as never])).rejects.toMatchObject({ code: 'bad_parameter' })
  })
})
