import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { classifyImages } from '../../src/batch/chunk/classify-images'
import { classifyImage } from '../../src/classifier/classify'
import { loadModelApart } from '../../src/classifier/inference/load'
import { loadModel } from '../../src/classifier/load'
import { InvalidInputError, WhisklensError } from '../../src/errors'
import { type Bundle, bundle } from '../helpers/bundle'
import { sample } from '../helpers/images'
import { modelCopy, removeModelCopies } from '../helpers/model-copy'

const model = 'efficientnet-lite0'

const labelsFile = readFileSync(join(__dirname, '..', '..', 'models', model, 'labels.json'), 'utf8')

/** A model that is loaded without complaint, and does not fit its labels. */
const unfitting = (): string => modelCopy({ 'labels.json': JSON.stringify(JSON.parse(labelsFile).slice(1)) })

/** The action as a container runs it. */
let action: Bundle

beforeAll(async () => {
  action = await bundle('test/helpers/run-classify-child.ts')
})
afterAll(() => {
  action.remove()
  removeModelCopies()
})

const cat = JSON.stringify({ image: sample('cat').toString('base64') })

describe('a model in a thread of its own', () => {
  it('finds what it finds in this one', async () => {
    const [here, apart] = [await loadModel(model, 'wasm'), await loadModelApart(model, 'wasm', true)]
    expect(apart.folder).toEqual(here.folder)
    expect(apart.engine).toBe('wasm')
    expect(apart.task.input).toEqual(here.task.input)
    const [expected, found] = [
      await classifyImage(here, sample('coffee')),
      await classifyImage(apart, sample('coffee')),
    ]
    expect({ ...found, timings: {} }).toEqual({ ...expected, timings: {} })
    expect(found.timings.infer).toBeGreaterThan(0)
  })

  it('gives each of many questions its own answer', async () => {
    const apart = await loadModelApart(model, 'wasm', false)
    const names = ['cat', 'coffee', 'rocket', 'palace', 'cat', 'coffee'] as const
    const found = await Promise.all(names.map((name) => classifyImage(apart, sample(name))))
    expect(found.map(({ labels }) => labels[0]?.label)).toEqual([
      'tiger cat',
      'espresso',
      'missile',
      'palace',
      'tiger cat',
      'espresso',
    ])
  })

  it('gains no tensors from image to image', async () => {
    const apart = await loadModelApart(model, 'wasm', true)
    const before = await apart.task.memory()
    for (let image = 0; image < 10; image++) await classifyImage(apart, sample('cat'))
    expect(before).toHaveProperty('numTensors')
    expect(await apart.task.memory()).toEqual(before)
  })

  it('is refused with the words that it is refused with here', async () => {
    const refusal = (load: typeof loadModelApart, name: string, engine: string) =>
      load(name, engine, true).then(
        () => undefined,
        ({ code, message, hint }) => ({ code, message, hint }),
      )
    const cases = [
      ['no-such-model', 'wasm'],
      [model, 'tpu'],
      [unfitting(), 'wasm'],
    ] as const
    for (const [name, engine] of cases) {
      const expected = await refusal(loadModel, name, engine)
      expect(expected?.code).toBe('invalid_input')
      expect(await refusal(loadModelApart, name, engine)).toEqual(expected)
    }
    await expect(loadModelApart(model, 'tpu', true)).rejects.toBeInstanceOf(InvalidInputError)
    await expect(loadModelApart(model, 'tpu', true)).rejects.toBeInstanceOf(WhisklensError)
  })
})

describe('a model that was not tried out', () => {
  it('is tried out by its first image, whose fault it is not', async () => {
    const apart = await loadModelApart(unfitting(), 'wasm', false)
    await expect(apart.task.tryOut()).rejects.toThrow('names 999 classes, but there are 1000')
    const get = async () => ({
      body: sample('cat'),
      etag: 'e1',
      size: 1,
      lastModified: '2026-01-01T00:00:00Z',
    })
    const store = { bucket: () => ({ get }) } as never
    const options = { model: apart, store, activationId: 'a1', deadline: Date.now() + 60_000 }
    await expect(classifyImages([{ bucket: 'images', key: 'cat' }], options)).rejects.toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining('names 999 classes, but there are 1000'),
    })
  })
})

describe('an action', () => {
  it.each(['256', '512'])('of %s MB classifies and ends', async (memory) => {
    const { exitCode, stdout, stderr } = await action.run([cat], { WHISKLENS_MEMORY: memory })
    expect(stderr).toBe('')
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout).results[0].className).toBe('tiger cat')
  })

  it('dies with its thread, as it would of an error of its own', async () => {
    const home = mkdtempSync(join(tmpdir(), 'whisklens-home-'))
    try {
      mkdirSync(join(home, 'dist'))
      symlinkSync(join(__dirname, '..', '..', 'models'), join(home, 'models'))
      const program =
        "require('node:worker_threads').parentPort.on('message', () => { throw new Error('planted') })"
      writeFileSync(join(home, 'dist', 'inference.cjs'), program)
      const { exitCode, stdout, stderr } = await action.run([cat], { WHISKLENS_HOME: home })
      expect(exitCode).not.toBe(0)
      expect(stderr).toContain('planted')
      expect(stdout).toBe('')
    } finally {
      rmSync(home, { recursive: true })
    }
  })
})
