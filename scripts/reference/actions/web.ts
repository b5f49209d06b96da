import type { Section } from './section'

export const results: Section = {
  kind: 'web action',
  purpose: 'Answers with batches, records and exports, and serves the gallery.',
  text: ['[http.md](http.md#results) has its parameters.'],
}

export const predict: Section = {
  kind: 'web action',
  purpose: 'Classifies an uploaded image, as the models of the Model Asset eXchange (MAX) do.',
  text: ['[http.md](http.md#predict) has its paths and parameters.'],
}
