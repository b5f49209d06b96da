import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Files } from '../../model-folder/folder'
import { writeFiles } from '../../network/write'
import type { Description } from '../describe'
import type { BaseModel } from './embedding'

/**
 * Writes a taught model into an empty folder, all but `whisklens.json`.
 * @returns the description for `whisklens.json`
 */
export async function writeTaught(
  folder: string,
  {
    id,
    base,
    network,
    labels,
    images,
  }: {
    id: string
    base: BaseModel
    /** The files that engines run. */
    network: Files
    labels: string[]
    /** Number of training images. */
    images: number
  },
): Promise<Description> {
  await writeFiles(folder, network)
  const classes = labels.map((className) => ({ className }))
  await writeFile(join(folder, 'labels.json'), `${JSON.stringify(classes)}\n`)
  return {
    schema: 'whisklens.model/1',
    id,
    task: 'classification',
    input: base.description.input,
    labels: 'labels.json',
    license: base.description.license,
    description: `${labels.length} labels taught on ${images} photos`,
    source: `whisklens teach, on ${base.version}`,
  }
}
