/* What Swagger 2.0 calls the types that occur in the API. */

export const text = { type: 'string' }
export const number = { type: 'number' }
export const listOf = (properties: object) => ({ type: 'array', items: { type: 'object', properties } })

export const box = {
  type: 'array',
  items: number,
  description: 'ymin, xmin, ymax, xmax, each as a share of the height or width, 0–1',
}
