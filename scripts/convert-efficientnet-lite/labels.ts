import { IMAGENET_CLASSES } from '@tensorflow-models/mobilenet/dist/imagenet_classes'
import { InvalidInputError } from '../../src/errors'
import { classCount } from './architecture'

export interface Label {
  wordnetId: string
  /** All synonyms, separated by commas. */
  className: string
}

/** Where the two sources of names do not agree. */
export interface SpellingDifference extends Label {
  index: number
  /** How WordNet's lemma list has it. */
  lemma: string
}

const lines = (text: string): string[] => text.split(/\r?\n/).filter((line) => line !== '')

/**
 * The 1,000 classes of ImageNet in their order. Names are spelled as in `@tensorflow-models/mobilenet`, because records
 * of earlier systems and the scripts reading them carry that spelling; where the lemma list differs, it is reported.
 *
 * @param synsets one WordNet id a line, in class order
 * @param lemmas WordNet id, tab, synonyms; in any order
 */
export function readLabels(
  synsets: string,
  lemmas: string,
): { labels: Label[]; differences: SpellingDifference[] } {
  const ids = lines(synsets)
  if (ids.length !== classCount)
    throw new InvalidInputError('bad_model', `Expected ${classCount} synsets, found ${ids.length}`)
  const byId = new Map(lines(lemmas).map((line) => line.split('\t') as [string, string]))
  const spellings: Record<number, string> = IMAGENET_CLASSES
  const differences: SpellingDifference[] = []
  const labels = ids.map((wordnetId, index) => {
    const lemma = byId.get(wordnetId)
    if (!lemma) throw new InvalidInputError('bad_model', `Expected a lemma for ${wordnetId}`)
    const className = spellings[index] ?? lemma
    if (className !== lemma) differences.push({ index, wordnetId, className, lemma })
    return { wordnetId, className }
  })
  return { labels, differences }
}
