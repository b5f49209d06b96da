import { classifyImage } from '../../src/classifier/classify'
import { topLabels } from '../../src/classifier/labels'
import { type LoadedModel, loadModel } from '../../src/classifier/load'
import { sample, sampleLabels, sampleNames } from '../helpers/images'

let model: LoadedModel
beforeAll(async () => {
  model = await loadModel('efficientnet-lite0', 'wasm')
})

describe('the default model', () => {
  it.each(sampleNames)('predicts %s as in the README, within three points', async (name) => {
    const { labels } = await classifyImage(model, sample(name))
    for (const [index, [label, percent]] of sampleLabels(name).entries()) {
      expect(labels[index]?.label).toBe(label)
      expect(Math.abs((labels[index]?.probability ?? 0) * 100 - percent)).toBeLessThan(3)
    }
  })

  it('returns five labels, most probable first, with their class index', async () => {
    const { labels } = await classifyImage(model, sample('cat'))
    expect(labels).toHaveLength(5)
    expect(labels[2]).toEqual({
      label: 'tabby',
      className: 'tabby, tabby cat',
      wordnetId: 'n02123045',
      index: 281,
      probability: expect.any(Number),
    })
    const probabilities = labels.map(({ probability }) => probability)
    expect(probabilities).toEqual([...probabilities].sort((a, b) => b - a))
  })

  it('returns probabilities that sum to one', async () => {
    const { labels } = await classifyImage(model, sample('palace'), 1000)
    expect(labels).toHaveLength(1000)
    expect(labels.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 3)
  })

  it('is deterministic', async () => {
    const [first, second] = [
      await classifyImage(model, sample('cat')),
      await classifyImage(model, sample('cat')),
    ]
    expect(second.labels).toEqual(first.labels)
  })

  it('returns size and format of the original, and timings', async () => {
    expect(await classifyImage(model, sample('cat'))).toMatchObject({
      width: 451,
      height: 300,
      format: 'jpeg',
      timings: { decode: expect.any(Number), infer: expect.any(Number) },
    })
  })

  it('names the 1,000 classes in the order and spelling of the MobileNet package', () => {
    const { IMAGENET_CLASSES } = require('@tensorflow-models/mobilenet/dist/imagenet_classes.js')
    expect(model.folder.classes.map(({ className }) => className)).toEqual(Object.values(IMAGENET_CLASSES))
    expect(new Set(model.folder.classes.map(({ wordnetId }) => wordnetId)).size).toBe(1000)
  })
})

describe('topLabels', () => {
  const classes = ['a', 'b, bee', 'c'].map((className) => ({ className, wordnetId: 'n00000000' }))

  it('keeps ties in class order', () => {
    const labels = topLabels(Float32Array.of(0.25, 0.5, 0.25), classes, 3)
    expect(labels.map(({ index }) => index)).toEqual([1, 0, 2])
  })

  it('uses the first name of a class and keeps all of them', () => {
    expect(topLabels(Float32Array.of(0, 1, 0), classes, 1)).toMatchObject([
      { label: 'b', className: 'b, bee' },
    ])
  })

  it('returns no more labels than classes', () => {
    expect(topLabels(Float32Array.of(1, 0, 0), classes, 5)).toHaveLength(3)
  })
})
