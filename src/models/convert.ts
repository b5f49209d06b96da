import { existsSync, rmSync } from 'node:fs'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { InvalidInputError } from '../errors'
import { descriptionSchema } from '../model-folder/description'
import { isModelFile, parseJson, readModelFiles } from '../model-folder/folder'
import { optimizeNetwork } from '../network/optimize'
import { readNetwork } from '../network/read'
import { networkFiles, writeFiles } from '../network/write'
import { copyFiles } from './add'
import { runConverter, type SourceKind } from './converter'
import { writeDescription } from './describe'
import { collectNetwork, readerOf, sideOf } from './network-files'

/** What can be converted. */
export type Source = { kind: SourceKind | 'tfjs'; path: string }

export interface ConvertOptions {
  /** Whether weights are rounded to 16 bits, which halves the files. */
  float16?: boolean
  /** Whether a network that is there may be replaced. */
  force?: boolean
  /** Side of the square that layers see, pixels, where they do not tell. */
  size?: number
}

/**
 * Tells what a path leads to.
 * @throws InvalidInputError when it is none of what can be converted
 */
export async function sourceOf(path: string): Promise<Source> {
  const stats = await stat(path).catch((cause) => {
    throw new InvalidInputError('file_not_found', `There is no file or folder ${path}`, { cause })
  })
  if (stats.isFile() && /\.(keras|h5|hdf5)$/.test(path)) return { kind: 'keras', path }
  const folder = stats.isFile() && basename(path) === 'model.json' ? dirname(path) : path
  const names = await readdir(folder).catch((): string[] => [])
  if (names.includes('tfhub_module.pb')) {
    throw new InvalidInputError(
      'model_unsupported',
      `${path} is a module of TensorFlow 1's Hub, which TensorFlow 2 reads no more`,
      {
        hint: 'Hubs offer most of them as a SavedModel of TensorFlow 2 as well: convert that one.',
      },
    )
  }
  if (names.includes('saved_model.pb')) return { kind: 'tf_saved_model', path }
  if (names.includes('model.json')) return { kind: 'tfjs', path: folder }
  if (path.endsWith('.onnx') || names.some((name) => name.endsWith('.onnx'))) {
    throw new InvalidInputError('model_unsupported', `${path} is an ONNX model, which needs no converting`, {
      hint: `Add it: whisklens model add ${path}.`,
    })
  }
  throw new InvalidInputError('bad_model', `${path} is nothing that can be converted`, {
    hint: 'Expected a .keras or .h5 file, or a folder with saved_model.pb or model.json.',
  })
}

/**
 * Converts a model to what engines read: a graph model of TensorFlow.js, folded and fused, and its `model.onnx`. The
 * folder is whole or not there at all; what a model folder has beside its network goes along.
 * @throws InvalidInputError when the folder is there already, or the source cannot be read
 * @throws WhisklensError `convert_failed`
 */
export async function convertModel(
  { kind, path }: Source,
  output: string,
  options: ConvertOptions,
): Promise<void> {
  const target = resolve(output)
  await checkTarget(target, options)
  const fresh = `${target}.${process.pid}.tmp`
  const made = `${fresh}.network`
  // Interrupted by Ctrl-C, the process does not come to the end of this function.
  const remove = () => {
    for (const folder of [fresh, made]) rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', remove)
  try {
    await mkdir(fresh, { recursive: true })
    if (kind !== 'tfjs') await runConverter(kind, path, made, options)
    await compileInto(fresh, kind === 'tfjs' ? path : made, options)
    await rm(target, { recursive: true, force: true })
    await rename(fresh, target)
  } finally {
    process.off('exit', remove)
    remove()
  }
}

/** @throws InvalidInputError when something is there that is not to be replaced */
async function checkTarget(target: string, { force }: ConvertOptions): Promise<void> {
  if (!existsSync(target)) return
  if (!force)
    throw new InvalidInputError('already_exists', `${target} is there already`, {
      hint: 'Replace it with --force.',
    })
  const names = await readdir(target).catch((): string[] => ['no folder'])
  const foreign = names.find((name) => !isModelFile(name) && !/^(NOTICE|LICENSE|README)/.test(name))
  if (foreign !== undefined)
    throw new InvalidInputError(
      'already_exists',
      `${target} is not replaced: with ${foreign} it is more than a model's folder`,
    )
  if (names.length > 0 && !names.includes('model.json'))
    throw new InvalidInputError(
      'already_exists',
      `${target} is no folder with a network, and is not replaced`,
    )
}

async function compileInto(to: string, from: string, { size }: ConvertOptions): Promise<void> {
  const found = await collectNetwork(readerOf(from))
  const { format, files } = found
  const side = size ?? sideOf(found)
  if (side === undefined && format === 'layers-model') {
    throw new InvalidInputError('bad_parameter', 'The network does not define the size of its input', {
      hint: 'Set it: --size 224.',
    })
  }
  const network = optimizeNetwork(readNetwork(files, side ?? 0, from))
  await writeFiles(to, networkFiles(network))
  await takeAlong(from, to, files)
}

/** The labels and notices of a model folder, and its description without the checksums of files that are others now. */
async function takeAlong(from: string, to: string, network: ReadonlyMap<string, Buffer>): Promise<void> {
  const files = await readModelFiles(resolve(from))
  if (!files.has('whisklens.json')) return
  await copyFiles(from, to, (name) => !network.has(name) && name !== 'model.onnx')
  const { checksums: _, ...description } = parseJson(descriptionSchema, files, 'whisklens.json', from)
  await writeDescription(to, description)
}
