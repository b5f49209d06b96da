// An image listed in two portions is planned twice.

import type { Entry } from '../../../src/batch/planning/list-sort'
import { comparePositions } from '../../../src/batch/records/keys'
import { imageRefSchema } from '../../../src/schema'
import type { Bucket } from '../../../src/storage/store'

export * from '../../../src/batch/planning/list-sort'

export async function* readSorted(files: string[], results: Bucket, after?: Entry): AsyncGenerator<Entry> {
  const all: Entry[] = []
  for (const file of files)
    for await (const line of results.lines(file)) all.push(imageRefSchema.parse(JSON.parse(line)))
  for (const entry of all.sort(comparePositions))
    if (!after || comparePositions(entry, after) > 0) yield entry
}
