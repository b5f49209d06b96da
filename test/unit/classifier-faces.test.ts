import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { classifyImage } from '../../src/classifier/classify'
import { decodeImage } from '../../src/classifier/decode'
import { loadModel } from '../../src/classifier/load'
import { peerLibraries } from '../../src/model-folder/peer-libraries'
import { detectionSchema } from '../../src/schema'
import { sample } from '../helpers/images'
import { describeWith, removePeerModels, writePeerModels } from '../helpers/peer-models'

let models: string
beforeAll(async () => {
  models = await writePeerModels()
})
afterAll(removePeerModels)

const load = () => loadModel(join(models, 'faces'), 'wasm')

/** Her face in the photo, estimated by eye: hairline to chin, ear to ear. Fractions of height and width. */
const region = { top: 0.14, left: 0.35, bottom: 0.35, right: 0.53 }

/** Predictions of the leak test; each takes half a second. */
const repeats = process.env.WHISKLENS_FULL ? 100 : 10

type Box = [top: number, left: number, bottom: number, right: number]

function overlap([top, left, bottom, right]: Box): number {
  const area = (height: number, width: number) => Math.max(0, height) * Math.max(0, width)
  const shared = area(
    Math.min(bottom, region.bottom) - Math.max(top, region.top),
    Math.min(right, region.right) - Math.max(left, region.left),
  )
  const both = area(bottom - top, right - left) + area(region.bottom - region.top, region.right - region.left)
  return shared / (both - shared)
}

describeWith(peerLibraries.faceApi, 'faces', () => {
  it('finds the astronaut happy', async () => {
    const { labels, detections = [] } = await classifyImage(await load(), sample('astronaut'))
    expect(detections).toHaveLength(1)
    const face = detectionSchema.parse(detections[0])
    expect(face).toMatchObject({ label: 'face', probability: expect.closeTo(0.98, 1) })
    expect(overlap(face.box)).toBeGreaterThan(0.7)
    expect(face.age).toBeGreaterThan(20)
    expect(face.age).toBeLessThan(50)
    const emotions = face.emotions ?? []
    expect(emotions[0]).toMatchObject({ label: 'happiness', probability: expect.closeTo(1, 1) })
    expect(emotions.map(({ label }) => label).sort()).toEqual(
      ['anger', 'contempt', 'disgust', 'fear', 'happiness', 'neutral', 'sadness', 'surprise'].sort(),
    )
    expect(emotions.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 4)
    expect(emotions.find(({ label }) => label === 'contempt')?.probability).toBe(0)
    expect(labels).toHaveLength(5)
    expect(labels[0]).toMatchObject({ label: 'happiness', wordnetId: '', index: 1 })
  })

  it('has neither labels nor detections without a face', async () => {
    const { labels, detections } = await classifyImage(await load(), sample('coffee'))
    expect({ labels, detections }).toEqual({ labels: [], detections: [] })
  })

  it('finds more with a lower threshold', async () => {
    const found = async (threshold: number) =>
      (await classifyImage(await load(), sample('astronaut'), 5, { threshold })).detections ?? []
    expect(await found(1)).toEqual([])
    const detections = await found(0.05)
    expect(detections.length).toBeGreaterThan(1)
    for (const detection of detections) detectionSchema.parse(detection)
  })

  it(`leaks no tensors over ${repeats} images`, async () => {
    const { task } = await load()
    const image = await decodeImage(sample('astronaut'), task.input)
    await task.predict(image, 5)
    const before = task.memory()
    for (let i = 0; i < repeats; i++) await task.predict(image, 5)
    expect(task.memory()).toEqual(before)
  }, 400_000)

  describe('an incomplete folder is refused, naming what is wrong', () => {
    const broken = (name: string, change: (folder: string) => void) => {
      const folder = join(models, name)
      cpSync(join(models, 'faces'), folder, { recursive: true })
      change(folder)
      return loadModel(folder, 'wasm')
    }
    const manifest = 'age_gender_model-weights_manifest.json'

    it('missing weights', async () => {
      const loading = broken('a', (folder) => rmSync(join(folder, 'age_gender_model.bin')))
      await expect(loading).rejects.toMatchObject({
        code: 'bad_model',
        message: expect.stringContaining('age_gender_model.bin'),
      })
    })

    it('a missing manifest', async () => {
      const loading = broken('b', (folder) => rmSync(join(folder, manifest)))
      await expect(loading).rejects.toMatchObject({ message: expect.stringContaining(manifest) })
    })

    it('a manifest without a tensor; loaded tensors are freed', async () => {
      await load()
      const { numTensors } = tf.memory()
      const loading = broken('c', (folder) => {
        const [group] = JSON.parse(readFileSync(join(folder, manifest), 'utf8'))
        const weights = group.weights.slice(0, -1)
        writeFileSync(join(folder, manifest), JSON.stringify([{ ...group, weights }]))
      })
      await expect(loading).rejects.toMatchObject({ code: 'bad_model' })
      expect(tf.memory().numTensors).toBe(numTensors)
    })
  })
})
