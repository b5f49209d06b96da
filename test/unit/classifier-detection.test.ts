import { join } from 'node:path'
import { classifyImage } from '../../src/classifier/classify'
import { loadModel } from '../../src/classifier/load'
import { peerLibraries } from '../../src/model-folder/peer-libraries'
import { detectionSchema } from '../../src/schema'
import { plain } from '../helpers/images'
import { describeWith, removePeerModels, writePeerModels } from '../helpers/peer-models'

let models: string
beforeAll(async () => {
  models = await writePeerModels()
})
afterAll(removePeerModels)

const orange = () => plain(300, 200, '#ff8000').png().toBuffer()

describeWith(peerLibraries.cocoSsd, 'coco-ssd', () => {
  describe.each(['wasm', 'cpu'])('on %s', (engine) => {
    const load = () => loadModel(join(models, 'coco-ssd'), engine)

    it('finds objects with their boxes, relative to the image', async () => {
      const { labels, detections, width } = await classifyImage(await load(), await orange())
      expect(detections).toEqual([
        {
          label: 'teddy bear',
          probability: expect.closeTo(0.9, 3),
          box: [0.1, 0.2, 0.3, 0.4].map((share) => expect.closeTo(share, 3)),
        },
      ])
      expect(labels).toEqual([
        {
          label: 'teddy bear',
          className: 'teddy bear',
          wordnetId: '',
          index: 77,
          probability: expect.closeTo(0.9, 3),
        },
      ])
      expect(width).toBe(300)
    })

    it('finds less probable objects with a lower threshold', async () => {
      const model = await load()
      const found = async (threshold: number) => {
        const { detections = [] } = await classifyImage(model, await orange(), 5, { threshold })
        return detections.map(({ label }) => label)
      }
      expect(await found(0.95)).toEqual([])
      expect(await found(0.7)).toEqual(['teddy bear'])
      expect(await found(0.3)).toEqual(['teddy bear', 'person'])
      expect(await found(0)).toEqual(['teddy bear', 'person'])
    })

    it('clips boxes to the image', async () => {
      const blue = await plain(20, 2000, '#0000ff').png().toBuffer()
      const { detections = [] } = await classifyImage(await load(), blue)
      expect(detections).toHaveLength(1)
      expect(detectionSchema.parse(detections[0])).toMatchObject({ label: 'cat' })
      expect(detections[0]?.box[3]).toBe(1)
    })

    it('separates concurrent images', async () => {
      const model = await load()
      const images = await Promise.all(
        ['#ff0000', '#00ff00', '#0000ff', '#ff0000'].map((colour) => plain(64, 64, colour).png().toBuffer()),
      )
      const found = await Promise.all(images.map((image) => classifyImage(model, image)))
      const labels = found.map(({ detections = [] }) => detections.map(({ label }) => label))
      expect(labels).toEqual([['teddy bear'], ['person'], ['cat'], ['teddy bear']])
    })

    it('has no labels without detections', async () => {
      const black = await plain(64, 64, '#000000').png().toBuffer()
      expect(await classifyImage(await load(), black)).toMatchObject({ labels: [], detections: [] })
    })

    const many = engine === 'cpu' ? 5 : 100
    it(`leaks no tensors over ${many} images`, async () => {
      const model = await load()
      const image = await orange()
      await classifyImage(model, image)
      const before = model.task.memory()
      for (let i = 0; i < many; i++) await classifyImage(model, image)
      expect(model.task.memory()).toEqual(before)
    })
  })

  it('runs only on TensorFlow.js engines', async () => {
    await expect(loadModel(join(models, 'coco-ssd'), 'onnx')).rejects.toMatchObject({
      code: expect.stringMatching(/model_unfit|engine_missing/),
    })
    expect((await loadModel(join(models, 'coco-ssd'), 'auto')).engine).toBe('wasm')
  })
})
