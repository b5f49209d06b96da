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

/** What was found out about one thing of a model. */
export interface Check {
  name: string
  /** `absent` is what need not be there. */
  state: 'ok' | 'absent' | 'failed'
  detail: string
  hint?: string
}

/** The probability of each class, by its position, that a model sees in a photo. */
export type Values = ReadonlyMap<number, number>

/** What runs models here. */
export interface Engines {
  /** The names of those that a model runs on, best first. */
  of(model: Pick<ModelFolder, 'description' | 'names'>): readonly string[]
  /** What has to be installed before it can run; undefined where it is all there. */
  missing(engine: string): string | undefined
  /** Has an engine look at the same photo each time. @throws WhisklensError why it cannot */
  look(folder: string, engine: string): Promise<Values>
}

/** Engines may differ by so much: they add up in other orders. */
const tolerance = 1e-3

/** What the others are compared with, where the model runs on it: it needs nothing that is not there. */
const preferred = 'wasm'

/** Runs a check: what it returns is the detail, what it throws is what is wrong. */
async function check(name: string, find: () => string | Promise<string>): Promise<Check> {
  try {
    return { name, state: 'ok', detail: await find() }
  } catch (thrown) {
    const hint = thrown instanceof WhisklensError ? thrown.hint : undefined
    return { name, state: 'failed', detail: messageOf(thrown), hint }
  }
}

/**
 * Looks a model over: its files one by one, then what each engine that is installed makes of a photo. It goes on after
 * what is wrong as far as it can.
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
  // Where it is not installed, the next is compared with.
  const first = names.filter((name) => name === preferred)
  yield* checkEngines([...first, ...names.filter((name) => name !== preferred)], folder, engines)
}

/** What can be told without running the network. */
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
 * What the files of a network hold.
 * @throws InvalidInputError when they do not hold what they must
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

/** What is wrong with the model itself shows in the first; others may just not know an operation of it. */
async function* checkEngines(
  names: string[],
  folder: string,
  { missing, look }: Engines,
): AsyncGenerator<Check> {
  let reference: { engine: string; values: Values } | undefined
  for (const engine of names) {
    const name = `engine ${engine}`
    const hint = missing(engine)
    if (hint) {
      yield { name, state: 'absent', detail: 'it is not installed', hint }
      continue
    }
    let values: Values | undefined
    const looked = await check(name, async () => {
      values = await look(folder, engine)
      checkProbabilities(values)
      return reference ? agreement(values, reference) : `${values.size} values`
    })
    // It did not come to any values, and the reference did.
    const isItsOwn = looked.state === 'failed' && !values && reference
    if (values) reference ??= { engine, values }
    yield isItsOwn ? { ...looked, state: 'absent' } : looked
  }
}

/**
 * Records take nothing else, and most networks that give others end before their softmax.
 * @throws InvalidInputError when a value is not from 0 to 1
 */
export function checkProbabilities(values: Values): void {
  const odd = [...values.values()].find((value) => !(value >= 0 && value <= 1 + tolerance))
  if (odd === undefined) return
  throw new InvalidInputError(
    'bad_model',
    `Its outputs are no probabilities, such as ${odd.toPrecision(3)}`,
    {
      hint: 'If the network ends before its softmax, set "logits": true in whisklens.json, or --logits.',
    },
  )
}

/** @throws Error when they differ by more than they may */
function agreement(values: Values, { engine, values: expected }: { engine: string; values: Values }): string {
  let furthest = 0
  for (const index of new Set([...values.keys(), ...expected.keys()])) {
    furthest = Math.max(furthest, Math.abs((values.get(index) ?? 0) - (expected.get(index) ?? 0)))
  }
  const difference = `its probabilities differ from those of ${engine} by up to ${furthest.toPrecision(2)}`
  if (furthest <= tolerance) return difference
  throw new Error(`${difference}, more than ${tolerance}`)
}
