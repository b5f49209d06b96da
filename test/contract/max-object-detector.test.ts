import { peerLibraries } from '../../src/model-folder/peer-libraries'
import { plain } from '../helpers/images'
import { describeWith, removePeerModels, writePeerModels } from '../helpers/peer-models'
import { formOf, maxCases } from './max-cases'

let models: string
beforeAll(async () => {
  models = await writePeerModels()
})
afterAll(removePeerModels)

const closeTo = (values: number[]) => values.map((value) => expect.closeTo(value, 2))

/** The test detector labels red as a teddy bear and green as a person. */
const orange = () => plain(300, 200, '#ff8000').png().toBuffer()

describeWith(peerLibraries.cocoSsd, 'the MAX object detector', () => {
  maxCases(
    {
      name: 'max-object-detector',
      type: 'Object Detection',
      models: () => models,
      labels: 80,
      image: orange,
      needsColour: true,
      first: {
        label_id: '88',
        label: 'teddy bear',
        probability: expect.closeTo(0.9, 1),
        detection_box: closeTo([0.1, 0.2, 0.3, 0.4]),
      },
    },
    (reached) => {
      const found = async (query: string, init: RequestInit) => {
        const response = await reached().ask(`/model/predict${query}`, init)
        expect(response.status).toBe(200)
        const { predictions } = (await response.json()) as { predictions: { label: string }[] }
        return predictions.map(({ label }) => label)
      }

      it('uses the threshold of the query or the form, or 0.7', async () => {
        const image = formOf(await orange())
        expect(await found('', image)).toEqual(['teddy bear'])
        expect(await found('?threshold=0.3', image)).toEqual(['teddy bear', 'person'])
        expect(await found('?threshold=0.95', image)).toEqual([])
        expect(await found('?threshold=', image)).toEqual(['teddy bear'])
        const form = formOf(await orange())
        ;(form.body as FormData).append('threshold', '0.3')
        expect(await found('', form)).toEqual(['teddy bear', 'person'])
      })

      it.each(['high', '-1', '1.01', 'NaN'])('answers 400 to a threshold of %s', async (threshold) => {
        const response = await reached().ask(`/model/predict?threshold=${threshold}`, formOf(await orange()))
        expect(response.status).toBe(400)
        expect(await response.json()).toEqual({
          status: 'error',
          message: expect.stringContaining('threshold'),
        })
      })
    },
  )
})
