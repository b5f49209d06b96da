import type { ModelDescription } from '../../model-folder/description'
import type { Family } from './family'
import { listOf, text } from './swagger-types'

const ok = (properties: object) => ({
  200: { description: 'Success', schema: { type: 'object', properties } },
})

const image = { name: 'image', in: 'formData', type: 'file', required: true, description: 'JPEG, PNG, …' }

const threshold = (value: number) => ({
  name: 'threshold',
  in: 'query',
  type: 'number',
  minimum: 0,
  maximum: 1,
  default: value,
  description: 'Minimum probability',
})

const labels = {
  get: {
    summary: 'Labels of the model',
    responses: ok({ count: { type: 'integer' }, labels: listOf({ id: text, name: text }) }),
  },
}

/** Swagger 2.0 description of the API, as published by MAX images. */
export const swagger = (
  { id, description }: ModelDescription,
  { summary, hasLabels, defaultThreshold, prediction }: Family,
): object => ({
  swagger: '2.0',
  info: { title: `Whisklens: ${id}`, version: '1.0.0', description },
  produces: ['application/json'],
  paths: {
    '/model/metadata': {
      get: {
        summary: 'Metadata of the model',
        responses: ok({ id: text, name: text, description: text, type: text, source: text, license: text }),
      },
    },
    ...(hasLabels && { '/model/labels': labels }),
    '/model/predict': {
      post: {
        summary,
        consumes: ['multipart/form-data'],
        parameters: [image, ...(defaultThreshold === undefined ? [] : [threshold(defaultThreshold)])],
        responses: {
          ...ok({ status: text, predictions: listOf(prediction) }),
          400: { description: 'The input is not an image' },
        },
      },
    },
  },
})
