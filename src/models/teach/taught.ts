import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Files } from '../../model-folder/folder'
import { writeFiles } from '../../network/write'
import type { Description } from '../describe'
import type { BaseModel } from './embedding'

/**
 * Writes a model that was taught labels into an empty folder, all but `whisklens.json`.
 * @returns what is to stand in `whisklens.json`
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
    /** What engines run. */
    network: Files
    labels: string[]
    /** How many it was taught on. */
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
