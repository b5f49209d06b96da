import { peerLibraries } from '../../src/model-folder/peer-libraries'
import { sample } from '../helpers/images'
import { describeWith, removePeerModels, writePeerModels } from '../helpers/peer-models'
import { formOf, maxCases } from './max-cases'

let models: string
beforeAll(async () => {
  models = await writePeerModels()
})
afterAll(removePeerModels)

/** Box of the face: ymin, xmin, ymax, xmax. */
const box = [0.14, 0.35, 0.34, 0.52].map((share) => expect.closeTo(share, 1))

const shared = {
  type: 'Facial Recognition',
  models: () => models,
  image: async () => sample('astronaut'),
  needsColour: false,
}

const seesNobody = (reached: () => { ask(path: string, init: RequestInit): Promise<Response> }) => {
  it('predicts nothing without a face', async () => {
    const response = await reached().ask('/model/predict', formOf(sample('coffee')))
    expect(await response.json()).toEqual({ status: 'ok', predictions: [] })
  })
}

const emotion = (label_id: string, label: string) => ({ label_id, label, probability: expect.any(Number) })

describeWith(peerLibraries.faceApi, 'the MAX models of faces', () => {
  maxCases(
    {
      ...shared,
      name: 'max-facial-emotion-classifier',
      labels: 8,
      first: {
        detection_box: box,
        emotion_predictions: expect.arrayContaining([
          { label_id: '1', label: 'happiness', probability: expect.closeTo(1, 1) },
          emotion('0', 'neutral'),
          emotion('2', 'surprise'),
          emotion('3', 'sadness'),
          emotion('4', 'anger'),
          emotion('5', 'disgust'),
          emotion('6', 'fear'),
          emotion('7', 'contempt'),
        ]),
      },
    },
    (reached) => {
      seesNobody(reached)
      it('puts happiness first', async () => {
        const response = await reached().ask('/model/predict', formOf(sample('astronaut')))
        const { predictions } = (await response.json()) as never as {
          predictions: { emotion_predictions: { label: string }[] }[]
        }
        expect(predictions[0]?.emotion_predictions[0]).toMatchObject({ label: 'happiness' })
      })
    },
  )

  maxCases(
    {
      ...shared,
      name: 'max-facial-age-estimator',
      labels: undefined,
      first: { age_estimation: expect.any(Number), detection_box: box },
    },
    (reached) => {
      seesNobody(reached)
      it('estimates an age in whole years', async () => {
        const response = await reached().ask('/model/predict', formOf(sample('astronaut')))
        const { predictions } = (await response.json()) as { predictions: { age_estimation: number }[] }
        const age = predictions[0]?.age_estimation ?? Number.NaN
        expect(Number.isInteger(age)).toBe(true)
        expect(age).toBeGreaterThan(20)
        expect(age).toBeLessThan(50)
      })
    },
  )
})
