import { InvalidInputError, messageOf, WhisklensError } from '../errors'
import { descriptionSchema, type ModelDescription } from '../model-folder/description'
import {
  checkedSums,
  type ModelFolder,
  modelFolderPath,
  parseJson,
  readClasses,
  readModelFiles,
} from '../model-folder/folder'
import { decode, describeValue, factsOf } from '../network/onnx/read'
import { readNetwork } from '../network/read'
import { weightsOf } from '../network/weights'

/** The result of one check of a model. */
export interface Check {
  name: string
  /** `absent`: optional and missing. */
  state: 'ok' | 'absent' | 'failed'
  detail: string
  hint?: string
}

/** The probabilities a model predicts for a photo, by class index. */
export type Values = ReadonlyMap<number, number>

/** The engines on this machine. */
export interface Engines {
  /** The engines that can run a model, best first. */
  of(model: Pick<ModelFolder, 'description' | 'names'>): readonly string[]
  /** What to install first; undefined if nothing is missing. */
  missing(engine: string): string | undefined
  /** Predicts a fixed photo. @throws WhisklensError when that fails */
  predict(folder: string, engine: string): Promise<Values>
}

/** Difference allowed between engines: they sum in different orders. */
const tolerance = 1e-3

/** The reference, if the model runs on it: it needs no installation. */
const preferred = 'wasm'

/** Runs a check. The detail is its result, or its error. */
async function check(name: string, find: () => string | Promise<string>): Promise<Check> {
  try {
    return { name, state: 'ok', detail: await find() }
  } catch (thrown) {
    const hint = thrown instanceof WhisklensError ? thrown.hint : undefined
    return { name, state: 'failed', detail: messageOf(thrown), hint }
  }
}

/**
 * Verifies a model: its files, then the prediction of each installed engine. Continues after failures as far as
 * possible.
 * @param model its name, or the path of its folder
 * @throws InvalidInputError when there is no such folder
 */
export async function* verifyModel(model: string, engines: Engines): AsyncGenerator<Check> {
  const folder = modelFolderPath(model)
  const files = await readModelFiles(model)
  let description: ModelDescription | undefined
  yield await check('description', () => {
    description = parseJson(descriptionSchema, files, 'whisklens.json', folder)
    return `${description.id}, ${description.task}, ${description.license}`
  })
  if (!description) return
  const found = [...filesOf(description, files, folder)]
  for (const { name, find } of found) yield await check(name, find)
  const names = engines.of({ description, names: new Set(files.keys()) })
  // If it is not available, the next engine is the reference.
  const first = names.filter((name) => name === preferred)
  yield* checkEngines([...first, ...names.filter((name) => name !== preferred)], folder, engines)
}

/** The checks that do not run the network. */
function* filesOf(description: ModelDescription, files: ModelFolder['files'], folder: string) {
  yield {
    name: 'checksums',
    find: () => {
      checkedSums([...files.keys()], files, description.checksums ?? {}, folder)
      return `${Object.keys(description.checksums ?? {}).length} of ${files.size - 1} files have one`
    },
  }
  if (description.task !== 'embedding') {
    yield { name: 'classes', find: () => `${readClasses(files, description, folder).length}` }
  }
  const { task } = description
  if (task === 'classification' || task === 'embedding')
    yield { name: 'network', find: () => networkFacts({ description, files }, folder) }
}

/**
 * Summarizes the files of a network.
 * @throws InvalidInputError when they are not valid
 */
export function networkFacts(
  { description, files }: Pick<ModelFolder, 'description' | 'files'>,
  folder: string,
): string {
  const found: string[] = []
  if (files.has('model.json')) {
    const size = 'size' in description.input ? description.input.size : 0
    const network = readNetwork(files, size, folder)
    found.push(`${network.topology.node.length} nodes, ${weightsOf(network).length} weights`)
  }
  const model = files.get('model.onnx')
  if (model) {
    const { inputs, outputs } = factsOf(decode(model))
    found.push(`model.onnx: ${[inputs, outputs].map((some) => some.map(describeValue).join()).join(' → ')}`)
  }
  if (found.length > 0) return found.join('; ')
  throw new InvalidInputError(
    'bad_model',
    `Expected a file model.json or model.onnx in the model folder ${folder}`,
  )
}

/** Runs the engines. A defect of the model shows in the first; others may only lack an operation. */
async function* checkEngines(
  names: string[],
  folder: string,
  { missing, predict }: Engines,
): AsyncGenerator<Check> {
  let reference: { engine: string; values: Values } | undefined
  for (const engine of names) {
    const name = `engine ${engine}`
    const hint = missing(engine)
    if (hint) {
      yield { name, state: 'absent', detail: 'not installed', hint }
      continue
    }
    let values: Values | undefined
    const result = await check(name, async () => {
      values = await predict(folder, engine)
      checkProbabilities(values)
      return reference ? agreement(values, reference) : `${values.size} values`
    })
    // This engine returned no values although the reference did.
    const isUnsupported = result.state === 'failed' && !values && reference
    if (values) reference ??= { engine, values }
    yield isUnsupported ? { ...result, state: 'absent' } : result
  }
}

/**
 * Checks that outputs are probabilities, which records require. Other outputs mostly come from a network that ends
 * before its softmax.
 * @throws InvalidInputError when a value is not from 0 to 1
 */
export function checkProbabilities(values: Values): void {
  const odd = [...values.values()].find((value) => !(value >= 0 && value <= 1 + tolerance))
  if (odd === undefined) return
  throw new InvalidInputError(
    'bad_model',
    `The outputs are not probabilities, such as ${odd.toPrecision(3)}`,
    {
      hint: 'If the network ends before its softmax, set "logits": true in whisklens.json, or --logits.',
    },
  )
}

/** @throws Error when they differ by more than the tolerance */
function agreement(values: Values, { engine, values: expected }: { engine: string; values: Values }): string {
  let furthest = 0
  for (const index of new Set([...values.keys(), ...expected.keys()])) {
    furthest = Math.max(furthest, Math.abs((values.get(index) ?? 0) - (expected.get(index) ?? 0)))
  }
  const difference = `probabilities differ from those of ${engine} by up to ${furthest.toPrecision(2)}`
  if (furthest <= tolerance) return difference
  throw new Error(`${difference}, more than ${tolerance}`)
}
