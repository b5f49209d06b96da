import { existsSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { InvalidInputError } from '../../errors'
import { readModelFolder } from '../../model-folder/folder'
import { addModel } from '../../models/add'
import { findEntry, needEntry } from '../../models/catalogue'
import { openSources } from '../../models/catalogue/sources'
import { copyModel, readDescription } from '../../models/copy'
import { importNetwork } from '../../models/import'
import { next, note, outputOptions, print, printJson } from '../shared/output'
import { type AddFlags, addOptions, describingFlags } from './add-options'
import { warmUp } from './warm-up'

/** `whisklens model add`. */
export function register(model: Command): void {
  const command = model
    .command('add')
    .description('add a catalogue model by name, or your own by folder or ONNX file')
    .argument('<model>', 'a name from whisklens model list, or the path of a folder or .onnx file')
  outputOptions(addOptions(command), 'print one JSON object')
    .addHelpText(
      'after',
      `
The network is compiled for the engines and tested on a photo; a model that fails is not added. whisklens.json stores
checksums of the files, which are checked at every load. For an ONNX model, config.json and preprocessor_config.json of
timm and transformers are read. Without --short-side, the whole image is stretched to the square. Downloads honour
HTTPS_PROXY; npm packages use npm's settings.

Examples:
  whisklens model add mobilenet-v1-0.25
  whisklens model add mobilenet-v1-0.25-layers --from ./mobilenet_v1_0.25_224
  whisklens model add ./flowers                                     # a folder with whisklens.json
  whisklens model add ./flowers --labels flowers.txt --range -1,1   # a folder without
  whisklens model add ./resnet18.onnx --labels names.txt --mean 123.7,116.3,103.5 --std 58.4,57.1,57.4`,
    )
    .action(run)
}

async function run(model: string, flags: AddFlags): Promise<void> {
  const isFolder = /[/\\]/.test(model) || (existsSync(model) && !findEntry(model))
  const folder = await (isFolder ? addFolder(resolve(model), flags) : addEntry(model, flags))
  const { version, description, classes } = await readModelFolder(folder)
  const { id, task, license } = description
  note(`Added ${version} to ${folder}`, flags)
  if (flags.force) note('A running local mode uses it after a restart', flags)
  await (flags.json
    ? printJson({ id, version, folder, task, license, classes: classes.length })
    : print(`${id}\n`))
  if (task !== 'embedding') next(`whisklens classify --model ${id} <photos>`, flags)
}

/** @throws InvalidInputError if any of the flags is given */
function refuse(flags: string[], why: string): void {
  if (flags.length > 0) throw new InvalidInputError('bad_parameter', `${why}: remove ${flags.join(', ')}`)
}

function addEntry(id: string, flags: AddFlags): Promise<string> {
  const entry = needEntry(id)
  refuse([...(flags.id ? ['--id'] : []), ...describingFlags(flags)], `The catalogue describes "${id}"`)
  const sources = openSources((what) => note(`Fetching ${what}`, flags), flags.from && resolve(flags.from))
  return addModel(id, (folder) => entry.write(folder, sources), { ...flags, warmUp })
}

async function addFolder(path: string, flags: AddFlags): Promise<string> {
  refuse(flags.from ? ['--from'] : [], `${path} is already the source of the model`)
  if (!existsSync(path)) throw new InvalidInputError('file_not_found', `There is no file or folder ${path}`)
  const folder = statSync(path).isFile() ? dirname(path) : path
  if (existsSync(join(folder, 'whisklens.json'))) {
    refuse(describingFlags(flags), `${folder} has a whisklens.json`)
    const description = await readDescription(folder)
    const write = (to: string) => copyModel(path, to, description)
    return addModel(flags.id ?? description.id, write, { ...flags, warmUp })
  }
  const { task = 'classification', longestSide = 640, license = 'not stated' } = flags
  const id = flags.id ?? basename(path, '.onnx').toLowerCase()
  const options = { ...flags, id, task, longestSide, license }
  return addModel(id, (to) => importNetwork(path, to, options), { ...flags, warmUp })
}
