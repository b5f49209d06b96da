import type { ModelDescription } from '../models/folder'

const text = { type: 'string' }
const ok = (properties: object) => ({
  200: { description: 'Success', schema: { type: 'object', properties } },
})
const listOf = (properties: object) => ({ type: 'array', items: { type: 'object', properties } })

/** The API in Swagger 2.0, as MAX images publish it. */
export const swagger = ({ id, description }: ModelDescription): object => ({
  swagger: '2.0',
  info: { title: `Whisklens: ${id}`, version: '1.0.0', description },
  produces: ['application/json'],
  paths: {
    '/model/metadata': {
      get: {
        summary: 'What the model is',
        responses: ok({ id: text, name: text, description: text, type: text, source: text, license: text }),
      },
    },
    '/model/labels': {
      get: {
        summary: 'What the model can name',
        responses: ok({ count: { type: 'integer' }, labels: listOf({ id: text, name: text }) }),
      },
    },
    '/model/predict': {
      post: {
        summary: 'Classifies an image',
        consumes: ['multipart/form-data'],
        parameters: [
          { name: 'image', in: 'formData', type: 'file', required: true, description: 'JPEG, PNG, …' },
        ],
        responses: {
          ...ok({
            status: text,
            predictions: listOf({ label_id: text, label: text, probability: { type: 'number' } }),
          }),
          400: { description: 'The input is not an image' },
        },
      },
    },
  },
})
