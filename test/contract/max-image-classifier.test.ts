import { tmpdir } from 'node:os'
import { sample } from '../helpers/images'
import { formOf, maxCases } from './max-cases'

maxCases(
  {
    name: 'max-image-classifier',
    type: 'Image Classification',
    models: tmpdir,
    labels: 1000,
    image: async () => sample('coffee'),
    needsColour: false,
    first: { label_id: 'n07920052', label: 'espresso', probability: expect.any(Number) },
  },
  (reached) => {
    it('returns the five most probable labels, highest first', async () => {
      const response = await reached().ask('/model/predict', formOf(sample('cat')))
      const { predictions } = (await response.json()) as {
        predictions: { label_id: string; probability: number }[]
      }
      expect(predictions.map(({ label_id }) => label_id)).toHaveLength(5)
      expect(predictions.map(({ label_id }) => label_id)).toContain('n02123045')
      const probabilities = predictions.map(({ probability }) => probability)
      expect(probabilities).toEqual(probabilities.toSorted((a, b) => b - a))
    })

    it('ignores a model named by the client', async () => {
      const response = await reached().ask(
        '/model/metadata?model=/etc&engine=none&s3Endpoint=http://127.0.0.1',
      )
      expect(await response.json()).toMatchObject({ id: 'efficientnet-lite0' })
    })

    it('leaves CORS to the platform', async () => {
      const { headers, url } = await reached().ask('/model/metadata')
      if (url) expect(headers.get('access-control-allow-origin')).toBe('*')
    })
  },
)
