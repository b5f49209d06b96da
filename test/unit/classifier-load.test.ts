import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { classifyImage } from '../../src/classifier/classify'
import { loadModel } from '../../src/classifier/load'
import { InvalidInputError } from '../../src/errors'
import { modelFolderPath, readModelFolder } from '../../src/model-folder/folder'
import { sample } from '../helpers/images'
import { changeModel, modelCopy, removeModelCopies } from '../helpers/model-copy'

jest.mock('../../src/model-folder/folder', () => {
  const actual = jest.requireActual('../../src/model-folder/folder')
  return { ...actual, readModelFolder: jest.fn(actual.readModelFolder) }
})

afterEach(() => jest.mocked(readModelFolder).mockClear())
afterAll(removeModelCopies)

const original = (name: string): Buffer => readFileSync(join(modelFolderPath('efficientnet-lite0'), name))

const refusal = (model: string, engine = 'wasm'): Promise<InvalidInputError> =>
  loadModel(model, engine).then(
    () => Promise.reject(new Error('was loaded')),
    (thrown) => thrown as InvalidInputError,
  )

describe('a model', () => {
  it('is loaded once for concurrent requests', async () => {
    const models = await Promise.all(
      Array.from({ length: 10 }, () => loadModel('efficientnet-lite0', 'wasm')),
    )
    expect(new Set(models).size).toBe(1)
    expect(await loadModel('efficientnet-lite0', 'wasm')).toBe(models[0])
    expect(readModelFolder).toHaveBeenCalledTimes(1)
  })

  it('is one of several, each cached separately', async () => {
    const folder = modelCopy()
    const [first, second] = [await loadModel('efficientnet-lite0', 'wasm'), await loadModel(folder, 'wasm')]
    expect(second).not.toBe(first)
    expect((await classifyImage(second, sample('cat'))).labels).toEqual(
      (await classifyImage(first, sample('cat'))).labels,
    )
  })

  it('does not keep its files in memory beside the engine', async () => {
    expect(await loadModel('efficientnet-lite0', 'wasm')).not.toHaveProperty('folder.files')
  })

  it('can be loaded after a failure', async () => {
    const folder = modelCopy({ 'group1-shard2of3.bin': null })
    const failures = await Promise.all([refusal(folder), refusal(folder)])
    expect(failures[1]).toBe(failures[0])
    changeModel(folder, { 'group1-shard2of3.bin': original('group1-shard2of3.bin') })
    const { labels } = await classifyImage(await loadModel(folder, 'wasm'), sample('coffee'))
    expect(labels[0]?.label).toBe('espresso')
  })
})

describe('an invalid model is refused, naming what is wrong', () => {
  it('a missing folder', async () => {
    const error = await refusal('no-such-model')
    expect(error).toBeInstanceOf(InvalidInputError)
    expect(error.message).toContain('no-such-model')
  })

  it.each(['tpu', '', 'constructor', 'toString'])('the engine "%s"', async (engine) => {
    const error = await refusal('efficientnet-lite0', engine)
    expect(error).toBeInstanceOf(InvalidInputError)
    expect(error).toMatchObject({
      message: `There is no engine "${engine}"`,
      hint: expect.stringContaining('wasm'),
    })
  })

  it.each([
    ['a shard is missing', { 'group1-shard2of3.bin': null }, 'group1-shard2of3.bin'],
    ['model.json is missing', { 'model.json': null }, 'model.json'],
    ['model.json is not JSON', { 'model.json': 'oops' }, 'model.json is not JSON'],
    ['model.json is another JSON', { 'model.json': '{}' }, 'model.json is not valid'],
    ['model.json has no weights', { 'model.json': '{"modelTopology":{}}' }, 'weightsManifest'],
    [
      'a shard is cut off',
      { 'group1-shard3of3.bin': original('group1-shard3of3.bin').subarray(0, 1000) },
      'The weights end within ',
    ],
    [
      'a label is missing',
      { 'labels.json': JSON.stringify(JSON.parse(`${original('labels.json')}`).slice(1)) },
      '999',
    ],
  ])('%s', async (_, changes: Record<string, Buffer | string | null>, named) => {
    const error = await refusal(modelCopy(changes))
    expect(error).toBeInstanceOf(InvalidInputError)
    expect(error.message).toContain(named)
  })

  it('a network with another input', async () => {
    const description = JSON.parse(`${original('whisklens.json')}`)
    const input = { ...description.input, size: 200 }
    const error = await refusal(modelCopy({ 'whisklens.json': JSON.stringify({ ...description, input }) }))
    expect(error).toBeInstanceOf(InvalidInputError)
  })
})

it('a failed load leaks no tensors', async () => {
  await loadModel('efficientnet-lite0', 'wasm')
  const { numTensors } = tf.memory()
  await refusal(modelCopy({ 'labels.json': '[{"wordnetId":"n00000000","className":"all"}]' }))
  expect(tf.memory().numTensors).toBe(numTensors)
})
