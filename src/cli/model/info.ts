import type { Command } from 'commander'
import * as z from 'zod'
import { findEngine } from '../../classifier/engines'
import { enginesOf } from '../../classifier/tasks'
import { InvalidInputError } from '../../errors'
import { type ModelFolder, modelFolderPath, parseJson, readModelFolder } from '../../model-folder/folder'
import { findEntry } from '../../models/catalogue'
import { librariesOf } from '../../models/libraries'
import { digestIn } from '../../models/network-files'
import { columns } from '../shared/columns'
import { type OutputOptions, outputOptions, print, printable, printJson } from '../shared/output'

/** `whisklens model info`. */
export function register(model: Command): void {
  const command = model
    .command('info')
    .description('show version, classes, size and engines of a model')
    .argument('<model>', 'its name, or its folder')
  outputOptions(command, 'print one JSON object')
    .addHelpText(
      'after',
      `
The version changes with every file that affects results, and is part of each record.

Examples:
  whisklens model info efficientnet-lite0
  whisklens model info ./flowers --json | jq .classes`,
    )
    .action(run)
}

async function run(name: string, { json }: OutputOptions): Promise<void> {
  const read = await readModelFolder(name).catch((thrown) => {
    const entry = findEntry(name)
    if (!entry) throw thrown
    throw new InvalidInputError('model_not_found', `The model "${name}" has not been added`, {
      hint: `Add it: whisklens model add ${name}.`,
    })
  })
  const facts = await factsOf(name, read)
  if (json) return printJson(facts)
  const rows = Object.entries(facts).filter(([, fact]) => fact !== undefined)
  await print(columns(rows.map(([title, fact]) => [title, printable(textOf(fact))])))
}

const textOf = (fact: unknown): string => {
  if (Array.isArray(fact)) return fact.map(textOf).join(', ') || 'none'
  return typeof fact === 'object' ? JSON.stringify(fact) : String(fact)
}

async function factsOf(name: string, folder: ModelFolder) {
  const { version, description, classes, files } = folder
  const { task, input, license, source, checksums, description: about } = description
  const engines = enginesOf(folder)
  return {
    id: description.id,
    version,
    folder: modelFolderPath(name),
    about,
    task,
    input,
    license,
    source,
    classes: classes.length,
    firstClasses: classes.slice(0, 5).map(({ className }) => className),
    parameters: files.has('model.json') ? parametersOf(files, name) : undefined,
    bytes: [...files.values()].reduce((sum, { length }) => sum + length, 0),
    sha256: await networkDigest(files),
    checksums: Object.keys(checksums ?? {}).length,
    runsOn: engines,
    installed: engines.filter((engine) => !findEngine(engine).missing()),
    ...librariesOf(description.id),
  }
}

const manifestSchema = z.object({
  weightsManifest: z.array(z.object({ weights: z.array(z.object({ shape: z.array(z.number()) })) })),
})

/** Number of weights. */
function parametersOf(files: ModelFolder['files'], folder: string): number {
  const { weightsManifest } = parseJson(manifestSchema, files, 'model.json', folder)
  const shapes = weightsManifest.flatMap(({ weights }) => weights.map(({ shape }) => shape))
  return shapes.reduce((sum, shape) => sum + shape.reduce((product, length) => product * length, 1), 0)
}

/** The digest that `whisklens model add --sha256` checks. */
async function networkDigest(files: ModelFolder['files']): Promise<string | undefined> {
  if (!files.has('model.json') && !files.has('model.onnx')) return undefined
  return digestIn([...files.keys()], async (name) => {
    const file = files.get(name)
    if (!file) throw new InvalidInputError('bad_model', `The file ${name} is missing`)
    return file
  })
}
