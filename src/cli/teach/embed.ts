import { decodeImage } from '../../classifier/decode'
import { findEngine } from '../../classifier/engines'
import { choiceOf, type EngineName, engineNames, fileOf } from '../../classifier/engines/names'
import { networkInput } from '../../classifier/network-input'
import { InvalidInputError, WhisklensError } from '../../errors'
import { type Problem, problemOf } from '../../library/classify/task'
import { readImage } from '../../library/sources/read-image'
import type { Files } from '../../model-folder/folder'
import type { BaseModel } from '../../models/teach/embedding'
import type { Example } from '../../models/teach/head'
import { readAhead } from '../../read-ahead'
import { type OutputOptions, printable } from '../shared/output'
import { startProgress } from '../shared/progress'
import type { LabelFolders } from './folders'

/** A photo with its embedding. */
export interface Photo extends Example {
  file: string
}

/** A photo that could not be read or decoded. */
export interface Unreadable {
  file: string
  error: Problem
}

/** Photos decoded ahead while the engine runs. More would only use memory. */
const ahead = 4

/** Computes embeddings. */
interface Embedder {
  /** @throws ImageError if the bytes cannot be decoded */
  embed(bytes: Uint8Array): Promise<Float32Array>
  dispose(): void
}

/**
 * Loads a model whose output is an embedding.
 * @param files model files for the engines
 * @param path folder of the base model, for error messages
 * @throws WhisklensError `engine_missing`
 * @throws InvalidInputError if no engine can run it
 */
export async function openEmbedder(
  files: Files,
  { input }: BaseModel['description'],
  { engine, path }: { engine: string; path: string },
): Promise<Embedder> {
  const predictor = await findEngine(installed(engine, files)).load({ files, path, input })
  const images = networkInput(input)
  return {
    embed: async (bytes) => {
      const image = await decodeImage(bytes, input)
      const [vector = new Float32Array()] = await predictor.predict(images.of(image))
      return vector
    },
    dispose: () => predictor.dispose(),
  }
}

/**
 * Computes the embeddings of all photos.
 * @throws Error see {@link openEmbedder}
 */
export async function embedPhotos(
  { labels }: LabelFolders,
  embedder: Embedder,
  output: OutputOptions,
): Promise<{ photos: Photo[]; unreadable: Unreadable[] }> {
  const found = labels.flatMap(({ photos }, label) => photos.map((photo) => ({ ...photo, label })))
  const progress = startProgress('photos', output)
  const photos: Photo[] = []
  const unreadable: Unreadable[] = []
  try {
    const results = readAhead(found, ahead, async ({ path: file, label, problem }) => {
      if (problem) return { file, error: problemOf(problem) }
      return readImage(file)
        .then(embedder.embed)
        .then(
          (vector) => ({ file, label, vector }),
          (thrown) => ({ file, error: problemOf(thrown) }),
        )
    })
    for await (const result of results) {
      if ('vector' in result) photos.push(result)
      else {
        unreadable.push(result)
        progress.say(
          `${printable(result.file)}  skipped: ${result.error.code}, ${printable(result.error.message)}`,
        )
      }
      const done = photos.length + unreadable.length
      progress.update({ done, total: found.length, errors: unreadable.length })
    }
  } finally {
    progress.stop()
    embedder.dispose()
  }
  return { photos, unreadable }
}

function installed(engine: string, files: Files): EngineName {
  const isHere = (name: EngineName) => !findEngine(name).missing()
  const fitting = engineNames.filter((name) => files.has(fileOf(name)))
  const choice = choiceOf(engine)
  const name = choice ? fitting.find((name) => choice.includes(name) && isHere(name)) : engine
  const hint = findEngine(name ?? fitting[0] ?? engine).missing()
  if (hint) throw new WhisklensError('engine_missing', `The engine "${engine}" is not installed`, { hint })
  const known = fitting.find((one) => one === name)
  if (known) return known
  throw new InvalidInputError('model_unfit', `The base model does not run on the engine "${engine}"`, {
    hint: `Choose one with --engine: ${fitting.join(', ')}.`,
  })
}
