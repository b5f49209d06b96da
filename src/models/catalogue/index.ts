import { InvalidInputError } from '../../errors'
import { cocoSsds } from './coco-ssd'
import type { CatalogueEntry } from './entry'
import { faces } from './faces'
import { mobilenets } from './mobilenet'
import { nsfw } from './nsfw'

/** The models that can be added by name. */
export const catalogue: CatalogueEntry[] = [...mobilenets, nsfw, ...cocoSsds, faces]

export const findEntry = (id: string): CatalogueEntry | undefined =>
  catalogue.find((entry) => entry.id === id)

/** @throws InvalidInputError when the catalogue has no such model */
export function needEntry(id: string): CatalogueEntry {
  const entry = findEntry(id)
  if (entry) return entry
  throw new InvalidInputError(
    'model_not_found',
    `There is no folder ${id}, and no model "${id}" in the catalogue`,
    {
      hint: 'whisklens model list shows the catalogue.',
    },
  )
}
