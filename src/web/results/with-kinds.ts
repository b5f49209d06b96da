import type { IndexDirectory as StoredDirectory } from '../../batch/reports/index-format'
import { kindNames } from '../../labels/kinds'
import type { IndexDirectory } from '../gallery/contract'

/** Adds the hypernyms of its labels to a directory. */
export function withKinds(directory: StoredDirectory): IndexDirectory {
  const ids = new Map<string, number>()
  const idOf = (name: string): number => {
    const id = ids.get(name) ?? ids.size
    ids.set(name, id)
    return id
  }
  const labels = directory.labels.map((label) => ({ ...label, kinds: kindNames(label.wordnetId).map(idOf) }))
  return { ...directory, labels, kinds: [...ids.keys()] }
}
