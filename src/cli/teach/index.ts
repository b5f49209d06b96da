import { existsSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { modelFor } from '../../classifier/default-model'
import { findEngine } from '../../classifier/engines'
import { InvalidInputError } from '../../errors'
import { idSchema } from '../../model-folder/description'
import { modelFolderPath, readModelFolder, userModelsFolder } from '../../model-folder/folder'
import { addModel } from '../../models/add'
import { type BaseModel, embeddingOf } from '../../models/teach/embedding'
import { writeTaught } from '../../models/teach/taught'
import { teach } from '../../models/teach/teach'
import { warmUp } from '../model/warm-up'
import { type ConnectionFlags, resolveConnection } from '../shared/connection'
import { matching } from '../shared/options'
import { exitCode, note, type OutputOptions, outputOptions, printable } from '../shared/output'
import type { Photo } from './embed'
import { readLabelFolders } from './folders'
import { reportTaught } from './report'

interface TeachOptions extends ConnectionFlags, OutputOptions {
  name?: string
  out?: string
  model?: string
  engine?: string
  /** Share of each label's photos held out, 0–0.5. */
  holdout: number
  force?: boolean
}

/** Parses a share such as `20%`. */
function share(text: string): number {
  const [, number] = /^(\d{1,2})%$/.exec(text) ?? []
  if (number !== undefined && Number(number) <= 50) return Number(number) / 100
  throw new InvalidArgumentError('Expected a share from 0% to 50%.')
}

/** `whisklens teach`. */
export function register(program: Command): void {
  const command = program
    .command('teach')
    .description('train a model on your own labels, on this machine')
    .argument('<folder>', 'folder with a subfolder of photos per label')
    .option('--name <name>', "name of the new model (default: the folder's name)", matching(idSchema))
    .option('--out <folder>', 'folder of the new model (default: the folder of added models)')
    .option(
      '--model <model>',
      'name or folder of the base model (default: WHISKLENS_MODEL, efficientnet-lite0)',
    )
    .option('--engine <engine>', 'engine (default: WHISKLENS_ENGINE, or auto: the fastest installed)')
    .addOption(
      new Option('--holdout <share>', 'share of the photos of each label held out to measure accuracy')
        .argParser(share)
        .default(0.2, '20%'),
    )
    .option('--force', 'replace an existing model')
  outputOptions(command, 'print one JSON object')
    .addHelpText(
      'after',
      `
The base model computes an embedding of each photo, and a new last layer is trained on the embeddings: first without the
held-out photos, to measure its accuracy, then with all. Twenty photos per label are a good start.

Examples:
  whisklens teach pets/                     # labels cat and dog, from pets/cat/*.jpg and pets/dog/*.jpg
  whisklens classify --model pets photos/
  whisklens teach pets/ --name pets-2 --holdout 30%`,
    )
    .action(run)
}

async function run(folder: string, options: TeachOptions): Promise<void> {
  const { settings } = await resolveConnection(options)
  const { engine = settings.engine, holdout, force } = options
  // A model taught on an int8 base would run on ONNX Runtime only.
  const model = modelFor(options.model ?? settings.model, 'wasm')
  const id = options.name ?? nameAfter(folder)
  const target = options.out === undefined ? join(userModelsFolder(), id) : resolve(options.out)
  checkTarget(target, force)
  const found = await readLabelFolders(folder)
  const labels = found.labels.map(({ name }) => name)
  const base = await readBase(model)

  const path = modelFolderPath(model)
  // Loaded on demand: it pulls in the image decoders.
  const { embedPhotos, openEmbedder } = await import('./embed')
  const embedding = embeddingOf(base, path)
  const embedder = await openEmbedder(embedding.files, base.description, { engine, path })
  const { photos, unreadable } = await embedPhotos(found, embedder, options)
  checkEnough(labels, photos)
  note(`Training on ${photos.length} photos`, options)
  await findEngine('wasm').start?.()
  const { head, heldOut } = await teach(photos, labels.length, holdout)
  const taught = { id, base, labels, network: embedding.withHead(head), images: photos.length }
  await addModel(id, (fresh) => writeTaught(fresh, taught), { folder: target, force, warmUp })

  const name = options.out === undefined ? id : target
  const report = {
    name,
    target,
    base: base.version,
    labels,
    photos,
    heldOut,
    unreadable,
    beside: found.beside,
  }
  await reportTaught(report, options)
  if (unreadable.length > 0) process.exitCode = exitCode.someInError
}

/** Derives a model name from the folder's name. @throws InvalidInputError if no valid name remains */
function nameAfter(folder: string): string {
  const name = basename(resolve(folder))
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+|-+$/g, '')
    .slice(0, 64)
  if (idSchema.safeParse(name).success) return name
  throw new InvalidInputError('bad_parameter', `Could not derive a model name from ${printable(folder)}`, {
    hint: 'Set one with --name.',
  })
}

/** Checked before training. Only a model folder may be replaced: `--out` could name any folder. */
function checkTarget(target: string, force = false): void {
  if (!existsSync(target)) return
  if (!force) {
    throw new InvalidInputError('already_exists', `The folder ${target} already exists`, {
      hint: 'Replace the model in it with --force, or choose another name with --name.',
    })
  }
  if (!existsSync(join(target, 'whisklens.json')))
    throw new InvalidInputError('already_exists', `${target} is not a model folder and will not be replaced`)
}

/** @throws InvalidInputError if the model cannot compute embeddings */
async function readBase(model: string): Promise<BaseModel> {
  const base = await readModelFolder(model)
  const { task } = base.description
  if (task === 'classification' || task === 'embedding') return base as BaseModel
  throw new InvalidInputError('model_unfit', `The model "${model}" is for ${task} and cannot be taught`, {
    hint: 'Choose one for classification or embedding with --model.',
  })
}

/** @throws InvalidInputError if a label has fewer than two photos */
function checkEnough(labels: string[], photos: Photo[]): void {
  const few = labels.filter((_, label) => photos.filter((photo) => photo.label === label).length < 2)
  if (few.length === 0) return
  const names = few.map((name) => `"${printable(name)}"`).join(', ')
  throw new InvalidInputError('bad_examples', `Fewer than two readable photos of ${names}`, {
    hint: 'Twenty photos per label are a good start.',
  })
}
