import { findEngine } from '../classifier/engines'
import { type EngineName, engineNames } from '../classifier/engines/names'
import { readNetwork } from '../classifier/network'
import { weightsOf } from '../classifier/network-weights'
import { enginesOf } from '../classifier/tasks'
import { InvalidInputError, messageOf, WhisklensError } from '../errors'
import { descriptionSchema, type ModelDescription } from './description'
import {
  checkSums,
  type ModelFolder,
  modelFolderPath,
  parseJson,
  readClasses,
  readModelFiles,
} from './folder'

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

/** Has an engine look at the same photo each time. @throws WhisklensError why it cannot */
export type Look = (folder: string, engine: EngineName) => Promise<Values>

/** Engines may differ by so much: they add up in other orders. */
const tolerance = 1e-3

/** What the others are compared with needs nothing that is not there, and runs what any of them does. */
const reference: EngineName = 'wasm'

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
export async function* verifyModel(model: string, look: Look): AsyncGenerator<Check> {
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
  const engines = engineNames.filter((engine) => enginesOf(description as ModelDescription).includes(engine))
  yield* checkEngines(engines, (engine) => look(folder, engine))
}

/** What can be told without running the network. */
function* filesOf(description: ModelDescription, files: ModelFolder['files'], folder: string) {
  yield {
    name: 'checksums',
    find: () => {
      checkSums(files, description, folder)
      return `${Object.keys(description.checksums ?? {}).length} of ${files.size - 1} files have one`
    },
  }
  if (description.task !== 'embedding') {
    yield { name: 'classes', find: () => `${readClasses(files, description, folder).length}` }
  }
  if (description.task === 'classification' || description.task === 'embedding') {
    yield {
      name: 'network',
      find: () => {
        const network = readNetwork({ files, description }, folder)
        return `${network.topology.node.length} nodes, ${weightsOf(network).length} weights`
      },
    }
  }
}

/** What is wrong with the model itself shows in the reference; others may just not know an operation of it. */
async function* checkEngines(
  engines: EngineName[],
  look: (engine: EngineName) => Promise<Values>,
): AsyncGenerator<Check> {
  let expected: Values = new Map()
  const first = engines.filter((engine) => engine === reference)
  for (const engine of [...first, ...engines.filter((engine) => engine !== reference)]) {
    const name = `engine ${engine}`
    const missing = findEngine(engine).missing()
    if (missing) {
      yield { name, state: 'absent', detail: 'it is not installed', hint: missing }
      continue
    }
    let values: Values | undefined
    const looked = await check(name, async () => {
      values = await look(engine)
      checkProbabilities(values)
      return engine === reference ? `${values.size} values` : agreement(values, expected)
    })
    if (engine === reference && values) expected = values
    // It did not come to any values, and the reference did.
    const isItsOwn = looked.state === 'failed' && !values && expected.size > 0
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
  throw new InvalidInputError(`It gives values that are no probabilities, such as ${odd.toPrecision(3)}`, {
    hint: 'If the network ends before its softmax, say so: "logits": true in whisklens.json, or --logits.',
  })
}

/** @throws Error when they differ by more than they may */
function agreement(values: Values, expected: Values): string {
  let furthest = 0
  for (const index of new Set([...values.keys(), ...expected.keys()])) {
    furthest = Math.max(furthest, Math.abs((values.get(index) ?? 0) - (expected.get(index) ?? 0)))
  }
  const difference = `its probabilities differ from those of ${reference} by up to ${furthest.toPrecision(2)}`
  if (furthest <= tolerance) return difference
  throw new Error(`${difference}, more than ${tolerance}`)
}
