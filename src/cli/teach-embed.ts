import { findEngine } from '../classifier/engines'
import { anyEngine, type EngineName, engineNames } from '../classifier/engines/names'
import { WhisklensError } from '../errors'
import { type BaseModel, openEmbedder } from '../models/teach/embedding'
import type { Example } from '../models/teach/head'
import { readAhead } from '../read-ahead'
import { type Problem, problemOf } from './classify-task'
import { type OutputOptions, printable } from './output'
import { startProgress } from './progress'
import { readImage } from './read-image'
import type { LabelFolders } from './teach-folders'

/** A photo that a model has looked at. */
export interface Photo extends Example {
  file: string
}

/** A photo that cannot be looked at. */
export interface Unreadable {
  file: string
  error: Problem
}

/** Images are read and decoded while another is in the engine; more would only take memory. */
const ahead = 4

/**
 * The vectors of all photos, with what they are made by.
 * @param path of the base model's folder
 * @throws WhisklensError `engine_missing`, or InvalidInputError when the base cannot be used
 */
export async function embedPhotos(
  { labels }: LabelFolders,
  base: BaseModel,
  { path, engine, ...output }: OutputOptions & { path: string; engine: string },
) {
  const embedder = await openEmbedder(base, installed(engine), path)
  const found = labels.flatMap(({ photos }, label) => photos.map((photo) => ({ ...photo, label })))
  const progress = startProgress('photos', output)
  const photos: Photo[] = []
  const unreadable: Unreadable[] = []
  try {
    const looks = readAhead(found, ahead, async ({ path: file, label, problem }) => {
      if (problem) return { file, error: problemOf(problem) }
      return readImage(file)
        .then(embedder.embed)
        .then(
          (vector) => ({ file, label, vector }),
          (thrown) => ({ file, error: problemOf(thrown) }),
        )
    })
    for await (const look of looks) {
      if ('vector' in look) photos.push(look)
      else {
        unreadable.push(look)
        progress.say(
          `${printable(look.file)}  left out: ${look.error.code}, ${printable(look.error.message)}`,
        )
      }
      const done = photos.length + unreadable.length
      progress.update({ done, total: found.length, errors: unreadable.length })
    }
  } finally {
    progress.stop()
    embedder.dispose()
  }
  return { network: embedder.network, photos, unreadable }
}

/** @throws WhisklensError `engine_missing` */
function installed(engine: string): EngineName {
  const name = engine === anyEngine ? engineNames.find((name) => !findEngine(name).missing()) : engine
  const hint = findEngine(name ?? engine).missing()
  if (hint) throw new WhisklensError('engine_missing', `The engine "${engine}" is not installed`, { hint })
  return name as EngineName
}
