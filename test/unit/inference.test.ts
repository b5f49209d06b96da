import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { classifyImages } from '../../src/batch/classify/classify-images'
import { classifyImage } from '../../src/classifier/classify'
import { loadIsolated } from '../../src/classifier/inference/load'
import { loadModel } from '../../src/classifier/load'
import { serialTask } from '../../src/classifier/tasks/serial-task'
import type { Task } from '../../src/classifier/tasks/task'
import { InvalidInputError, WhisklensError } from '../../src/errors'
import { type Bundle, bundle } from '../helpers/bundle'
import { sample } from '../helpers/images'
import { changeModel, modelCopy, removeModelCopies } from '../helpers/model-copy'

// Inference gets its own thread only if the container has enough memory.
jest.mock('../../src/classifier/container-memory', () => ({
  ...jest.requireActual('../../src/classifier/container-memory'),
  containerMemory: 1024 * 1024 * 1024,
}))

const model = 'efficientnet-lite0'

const labelsFile = readFileSync(join(__dirname, '..', '..', 'models', model, 'labels.json'), 'utf8')

/** A model whose network has more classes than labels, which loading does not detect. */
const unfitting = (): string => modelCopy({ 'labels.json': JSON.stringify(JSON.parse(labelsFile).slice(1)) })

/** The bundled action, run in its own process. */
let action: Bundle

beforeAll(async () => {
  action = await bundle('test/helpers/run-classify-child.ts')
})
afterAll(() => {
  action.remove()
  removeModelCopies()
})

describe('a model in a thread', () => {
  it('predicts the same as in this thread', async () => {
    const [here, apart] = [await loadModel(model, 'wasm'), await loadIsolated(model, 'wasm')]
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

  it('answers concurrent requests separately', async () => {
    const apart = await loadIsolated(model, 'wasm')
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

  it('leaks no tensors', async () => {
    const apart = await loadIsolated(model, 'wasm')
    const before = await apart.task.memory()
    for (let image = 0; image < 10; image++) await classifyImage(apart, sample('cat'))
    expect(before).toHaveProperty('numTensors')
    expect(await apart.task.memory()).toEqual(before)
  })

  it('is refused with the same message as in this thread', async () => {
    const refusal = (load: typeof loadIsolated, name: string, engine: string) =>
      load(name, engine)
        .then(({ task }) => task.warmUp())
        .then(
          () => undefined,
          ({ code, message, hint }) => ({ code, message, hint }),
        )
    const cases = [
      ['no-such-model', 'wasm', 'model_not_found'],
      [model, 'tpu', 'bad_setting'],
      [unfitting(), 'wasm', 'bad_model'],
    ] as const
    for (const [name, engine, code] of cases) {
      const expected = await refusal(loadModel, name, engine)
      expect(expected?.code).toBe(code)
      expect(await refusal(loadIsolated, name, engine)).toEqual(expected)
    }
    await expect(loadIsolated(model, 'tpu')).rejects.toBeInstanceOf(WhisklensError)
  })
})

describe('a model without a warm-up', () => {
  const get = jest.fn(async () => ({
    body: sample('cat'),
    etag: 'e1',
    size: 1,
    lastModified: '2026-01-01T00:00:00Z',
  }))
  const store = { bucket: () => ({ get }) } as never

  it('is warmed up after its first image fails', async () => {
    const apart = await loadIsolated(unfitting(), 'wasm')
    const options = { model: apart, store, activationId: 'a1', deadline: Date.now() + 60_000 }
    const images = Array.from({ length: 20 }, (_, index) => ({ bucket: 'images', key: `${index}` }))
    await expect(classifyImages(images, options)).rejects.toMatchObject({
      code: 'bad_model',
      message: expect.stringContaining('names 999 classes, but there are 1000'),
    })
    // No work continues after the rejection.
    const asked = get.mock.calls.length
    await new Promise(setImmediate)
    expect(get).toHaveBeenCalledTimes(asked)
    expect(asked).toBeLessThan(10)
  })

  it('is read again after a failure', async () => {
    const folder = unfitting()
    const broken = await loadIsolated(folder, 'wasm')
    await expect(classifyImage(broken, sample('cat'))).rejects.toThrow('999 classes')
    changeModel(folder, { 'labels.json': labelsFile })
    const mended = await loadIsolated(folder, 'wasm')
    expect((await classifyImage(mended, sample('cat'))).labels[0]?.label).toBe('tiger cat')
  })
})

describe('a serialised task', () => {
  const image = { pixels: new Uint8Array(), rows: 0, columns: 0, width: 0, height: 0, format: 'jpeg', ms: 0 }
  const start = (given: Partial<Task>) => {
    const dispose = jest.fn()
    const forget = jest.fn()
    const task = {
      input: {},
      predict: async () => ({ labels: [] }),
      warmUp: async () => {},
      memory: () => ({}),
    }
    const unusable = (cause: unknown) => new InvalidInputError('bad_model', 'unusable', { cause })
    const running = serialTask({ ...task, dispose, ...given } as Task, { unusable, forget })
    return { predict: () => running.predict(image, 1), warmUp: running.warmUp, dispose, forget }
  }
  const fail = async (): Promise<never> => {
    throw new Error('planted')
  }

  it('ignores an image that fails first', async () => {
    const { predict, forget } = start({ predict: fail })
    await expect(predict()).rejects.toThrow('planted')
    await expect(predict()).rejects.toThrow('planted')
    expect(forget).not.toHaveBeenCalled()
  })

  it('is given up permanently if it works for nothing', async () => {
    const { predict, warmUp, dispose, forget } = start({ predict: fail, warmUp: fail })
    const found = await Promise.allSettled([predict(), predict(), warmUp()])
    for (const one of found) {
      expect(one).toMatchObject({
        status: 'rejected',
        reason: { code: 'bad_model', message: 'unusable' },
      })
    }
    expect(dispose).toHaveBeenCalledTimes(1)
    expect(forget).toHaveBeenCalledTimes(1)
  })

  it('classifies one image at a time', async () => {
    let [now, most] = [0, 0]
    const { predict } = start({
      predict: async () => {
        most = Math.max(most, ++now)
        await new Promise(setImmediate)
        now--
        return { labels: [] }
      },
    })
    await Promise.all([predict(), predict(), predict()])
    expect(most).toBe(1)
  })
})

describe.each(['256', '1024'])('an action of %s MB', (memory) => {
  const run = (params: object, flags: string[] = []) =>
    action.run([JSON.stringify(params)], { WHISKLENS_MEMORY: memory }, flags)
  const cat = { image: sample('cat').toString('base64') }

  it('classifies and exits', async () => {
    const { exitCode, stdout, stderr } = await run(cat)
    expect(stderr).toBe('')
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout).results[0].className).toBe('tiger cat')
  })

  it.each([
    [
      'an unknown engine',
      () => ({ ...cat, engine: 'tpu' }),
      /^There is no engine "tpu" \(bad_setting\)\. Set/,
    ],
    [
      'a model that does not work',
      () => ({ ...cat, model: unfitting() }),
      /999 classes.* \(bad_model\)\. Run whisklens model verify/,
    ],
    [
      'such a model, described',
      () => ({ describe: true, model: unfitting() }),
      /999 classes.* \(bad_model\)\. Run whisklens model verify/,
    ],
  ])('reports %s', async (_, params, expected) => {
    const { stdout, stderr } = await run({ engine: 'wasm', ...params() })
    expect(JSON.parse(stdout)).toEqual({ error: expect.stringMatching(expected) })
    // A single log line, without a stack.
    const code = /\((\w+)\)/.exec(JSON.parse(stdout).error)?.[1]
    expect(JSON.parse(stderr)).toMatchObject({ level: 'warn', code, reason: expect.any(String) })
  })

  it('does not preload the process’s modules in its thread', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'whisklens-preload-'))
    const preload = join(folder, 'preload.cjs')
    writeFileSync(preload, "if (!require('node:worker_threads').isMainThread) throw new Error('preloaded')")
    const { exitCode } = await run(cat, ['-r', preload])
    rmSync(folder, { recursive: true })
    expect(exitCode).toBe(0)
  })
})

describe('an action whose thread', () => {
  it.each([
    ['throws', "throw new Error('planted')", 'planted'],
    ['exits', 'process.exit(3)', 'The inference thread exited with code 3'],
  ])('%s ends with it, as with an error of its own', async (_, statement, said) => {
    const home = mkdtempSync(join(tmpdir(), 'whisklens-home-'))
    mkdirSync(join(home, 'dist'))
    symlinkSync(join(__dirname, '..', '..', 'models'), join(home, 'models'))
    const program = `require('node:worker_threads').parentPort.on('message', () => { ${statement} })`
    writeFileSync(join(home, 'dist', 'inference.cjs'), program)
    const params = JSON.stringify({ image: sample('cat').toString('base64') })
    const { exitCode, stdout, stderr } = await action.run([params], {
      WHISKLENS_HOME: home,
      WHISKLENS_MEMORY: '1024',
    })
    rmSync(home, { recursive: true })
    expect(exitCode).not.toBe(0)
    expect(stderr).toContain(said)
    expect(stdout).toBe('')
  })
})
