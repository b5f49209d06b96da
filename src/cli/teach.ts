import { existsSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { modelFor } from '../classifier/default-model'
import { findEngine } from '../classifier/engines'
import { InvalidInputError } from '../errors'
import { idSchema } from '../model-folder/description'
import { modelFolderPath, readModelFolder, userModelsFolder } from '../model-folder/folder'
import { addModel } from '../models/add'
import { type BaseModel, embeddingOf } from '../models/teach/embedding'
import { writeTaught } from '../models/teach/taught'
import { teach } from '../models/teach/teach'
import { type ConnectionFlags, resolveConnection } from './connection'
import { tryOut } from './model-look'
import { matching } from './options'
import { exitCode, note, type OutputOptions, outputOptions, printable } from './output'
import type { Photo } from './teach-embed'
import { readLabelFolders } from './teach-folders'
import { reportTaught } from './teach-report'

interface TeachOptions extends ConnectionFlags, OutputOptions {
  name?: string
  out?: string
  model?: string
  engine?: string
  /** Share of each label's photos, 0–0.5. */
  holdout: number
  force?: boolean
}

/** Parses a share such as `20%`. */
function share(text: string): number {
  const [, number] = /^(\d{1,2})%$/.exec(text) ?? []
  if (number !== undefined && Number(number) <= 50) return Number(number) / 100
  throw new InvalidArgumentError('Expected a share from 0% to 50%.')
}

/** `whisklens teach`: labels of one's own. */
export function register(program: Command): void {
  const command = program
    .command('teach')
    .description('teach a model labels of your own, on this machine')
    .argument('<folder>', 'has a folder of photos for each label')
    .option('--name <name>', "what the new model is called (default: the folder's name)", matching(idSchema))
    .option('--out <folder>', 'where it goes (default: to your other models)')
    .option(
      '--model <model>',
      'what it is built on, a name or the path of a folder (default: WHISKLENS_MODEL, efficientnet-lite0)',
    )
    .option(
      '--engine <engine>',
      'what runs that (default: WHISKLENS_ENGINE, or auto, the fastest that works)',
    )
    .option(
      '--holdout <share>',
      'photos of each label that are held out to test it (default: 20%)',
      share,
      0.2,
    )
    .option('--force', 'replace a model that is there')
  outputOptions(command, 'print what came of it as JSON')
    .addHelpText(
      'after',
      `
The model that it is built on looks at each photo once; a new last layer is trained on what it sees. First without the
photos held out, which tell how well it does, and then with all. Twenty photos of each label are a good start.

Examples:
  whisklens teach pets/                     of pets/cat/*.jpg and pets/dog/*.jpg
  whisklens classify --model pets photos/
  whisklens teach pets/ --name pets-2 --holdout 30%`,
    )
    .action(run)
}

async function run(folder: string, options: TeachOptions): Promise<void> {
  const { settings } = await resolveConnection(options)
  const { engine = settings.engine, holdout, force } = options
  // What is taught on int8 runs on ONNX Runtime only.
  const model = modelFor(options.model ?? settings.model, 'wasm')
  const id = options.name ?? nameAfter(folder)
  const target = options.out === undefined ? join(userModelsFolder(), id) : resolve(options.out)
  checkTarget(target, force)
  const found = await readLabelFolders(folder)
  const labels = found.labels.map(({ name }) => name)
  const base = await readBase(model)

  const path = modelFolderPath(model)
  // It brings along what decodes images, which no other command should wait for.
  const { embedPhotos, openEmbedder } = await import('./teach-embed')
  const embedding = embeddingOf(base, path)
  const embedder = await openEmbedder(embedding.files, base.description, { engine, path })
  const { photos, unreadable } = await embedPhotos(found, embedder, options)
  checkEnough(labels, photos)
  note(`Training on ${photos.length} photos`, options)
  await findEngine('wasm').start?.()
  const { head, heldOut } = await teach(photos, labels.length, holdout)
  const taught = { id, base, labels, network: embedding.withHead(head), images: photos.length }
  await addModel(id, (fresh) => writeTaught(fresh, taught), { folder: target, force, tryOut })

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

/** A name like that of the folder. @throws InvalidInputError when nothing of it may stand in a name */
function nameAfter(folder: string): string {
  const name = basename(resolve(folder))
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+|-+$/g, '')
    .slice(0, 64)
  if (idSchema.safeParse(name).success) return name
  throw new InvalidInputError('bad_parameter', `No name can be made of ${printable(folder)}`, {
    hint: 'Give it one with --name.',
  })
}

/** Before the work rather than after it; and `--out` may name a folder with anything in it. */
function checkTarget(target: string, force = false): void {
  if (!existsSync(target)) return
  if (!force) {
    throw new InvalidInputError('already_exists', `There is a folder ${target} already`, {
      hint: 'Replace the model in it with --force, or give the new one another name with --name.',
    })
  }
  if (!existsSync(join(target, 'whisklens.json')))
    throw new InvalidInputError('already_exists', `${target} is no model's folder, and is left as it is`)
}

/** @throws InvalidInputError when the model makes no vector of an image */
async function readBase(model: string): Promise<BaseModel> {
  const base = await readModelFolder(model)
  const { task } = base.description
  if (task === 'classification' || task === 'embedding') return base as BaseModel
  throw new InvalidInputError(
    'model_unfit',
    `The model "${model}" is for ${task}, and cannot be taught labels`,
    {
      hint: 'Take one for classification or embedding with --model.',
    },
  )
}

/** @throws InvalidInputError when a label has too few photos to be told from others */
function checkEnough(labels: string[], photos: Photo[]): void {
  const few = labels.filter((_, label) => photos.filter((photo) => photo.label === label).length < 2)
  if (few.length === 0) return
  const names = few.map((name) => `"${printable(name)}"`).join(', ')
  throw new InvalidInputError(
    'bad_examples',
    `There are fewer than two photos that can be read of ${names}`,
    {
      hint: 'Twenty photos of each label are a good start.',
    },
  )
}
