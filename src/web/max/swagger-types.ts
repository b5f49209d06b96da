/* Swagger 2.0 types used in the API. */

export const text = { type: 'string' }
export const number = { type: 'number' }
export const listOf = (properties: object) => ({ type: 'array', items: { type: 'object', properties } })

export const box = {
  type: 'array',
  items: number,
  description: 'ymin, xmin, ymax, xmax, relative to height and width, 0–1',
}
