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

export type Source = { kind: SourceKind | 'tfjs'; path: string }

export interface ConvertOptions {
  /** Round weights to 16 bits, which halves the files. */
  float16?: boolean
  /** Replace an existing network. */
  force?: boolean
  /** Side of the square input of layers that do not define it, pixels. */
  size?: number
}

/**
 * Determines the kind of model at a path.
 * @throws InvalidInputError when it cannot be converted
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
      `${path} is a TensorFlow 1 Hub module, which TensorFlow 2 cannot read`,
      {
        hint: 'Most are also available as a TensorFlow 2 SavedModel: convert that one.',
      },
    )
  }
  if (names.includes('saved_model.pb')) return { kind: 'tf_saved_model', path }
  if (names.includes('model.json')) return { kind: 'tfjs', path: folder }
  if (path.endsWith('.onnx') || names.some((name) => name.endsWith('.onnx'))) {
    throw new InvalidInputError('model_unsupported', `${path} is an ONNX model, which needs no conversion`, {
      hint: `Add it: whisklens model add ${path}.`,
    })
  }
  throw new InvalidInputError('bad_model', `${path} cannot be converted`, {
    hint: 'Expected a .keras or .h5 file, or a folder with saved_model.pb or model.json.',
  })
}

/**
 * Converts a model to the files that engines read: a folded and fused TensorFlow.js graph, and its `model.onnx`.
 * Creates the folder atomically, with the other files of a model folder.
 * @throws InvalidInputError when the folder exists, or the source cannot be read
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
  // Ctrl-C ends the process before `finally`.
  const cleanUp = () => {
    for (const folder of [fresh, made]) rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', cleanUp)
  try {
    await mkdir(fresh, { recursive: true })
    if (kind !== 'tfjs') await runConverter(kind, path, made, options)
    await compileInto(fresh, kind === 'tfjs' ? path : made, options)
    await rm(target, { recursive: true, force: true })
    await rename(fresh, target)
  } finally {
    process.off('exit', cleanUp)
    cleanUp()
  }
}

/** @throws InvalidInputError when the target exists and must not be replaced */
async function checkTarget(target: string, { force }: ConvertOptions): Promise<void> {
  if (!existsSync(target)) return
  if (!force)
    throw new InvalidInputError('already_exists', `${target} already exists`, {
      hint: 'Replace it with --force.',
    })
  const names = await readdir(target).catch((): string[] => ['no folder'])
  const foreign = names.find((name) => !isModelFile(name) && !/^(NOTICE|LICENSE|README)/.test(name))
  if (foreign !== undefined)
    throw new InvalidInputError(
      'already_exists',
      `${target} is not replaced: it contains ${foreign}, which is not part of a model`,
    )
  if (names.length > 0 && !names.includes('model.json'))
    throw new InvalidInputError('already_exists', `${target} is not replaced: it does not contain a network`)
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

/** Copies labels and notices, and the description without checksums, as the files have changed. */
async function takeAlong(from: string, to: string, network: ReadonlyMap<string, Buffer>): Promise<void> {
  const files = await readModelFiles(resolve(from))
  if (!files.has('whisklens.json')) return
  await copyFiles(from, to, (name) => !network.has(name) && name !== 'model.onnx')
  const { checksums: _, ...description } = parseJson(descriptionSchema, files, 'whisklens.json', from)
  await writeDescription(to, description)
}
