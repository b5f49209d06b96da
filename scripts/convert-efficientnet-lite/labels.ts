import { IMAGENET_CLASSES } from '@tensorflow-models/mobilenet/dist/imagenet_classes'
import { InvalidInputError } from '../../src/errors'
import { classCount } from './architecture'

export interface Label {
  wordnetId: string
  /** All synonyms, comma-separated. */
  className: string
}

/** A name that differs between the two sources. */
export interface SpellingDifference extends Label {
  index: number
  /** Spelling in WordNet's lemma list. */
  lemma: string
}

const lines = (text: string): string[] => text.split(/\r?\n/).filter((line) => line !== '')

/**
 * The 1,000 classes of ImageNet in order. Names are spelled as in `@tensorflow-models/mobilenet`, for compatibility with existing
 * records and scripts; differences from the lemma list are reported.
 *
 * @param synsets one WordNet id per line, in class order
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
