import { readFile, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { InvalidInputError } from '../errors'
import type { ModelClass, SquareInput, TaskName } from '../model-folder/description'
import { type Description, parseClasses, scaleOf } from './describe'
import { copyOnnx, fitOf, logitsOf, onnxFileOf } from './import-onnx'
import { collectNetwork, readerOf, sideOf } from './network-files'
import { type Published, publishedBeside, publishedInside } from './published'

/** Properties of a network that its files do not define. */
export interface ImportOptions {
  id: string
  task: TaskName
  /** Path of a file with class names, see {@link parseClasses}. */
  labels?: string
  /** Side of the square input, pixels; optional if the network defines it. */
  size?: number
  shortSide?: number
  kernel?: SquareInput['kernel']
  /** The range of input values, an alternative to mean and std. */
  range?: [number, number]
  mean?: SquareInput['mean']
  std?: SquareInput['std']
  /** Channel order of an ONNX model. */
  layout?: SquareInput['layout']
  logits?: boolean
  skip?: number
  /** Longer side of the images for detection, pixels. */
  longestSide: number
  threshold?: number
  license: string
  about?: string
  source?: string
}

/** The parts of a description that depend on the network. */
interface Network {
  input: SquareInput
  classes: ModelClass[]
  logits?: boolean
}

/**
 * Copies a TensorFlow.js or ONNX network into a folder and describes it from published metadata and options.
 * @param from the folder with `model.json` or an ONNX file, or that file
 * @throws InvalidInputError naming what is missing or does not fit
 */
export async function importNetwork(
  from: string,
  folder: string,
  options: ImportOptions,
): Promise<Description> {
  const { id, task, license, longestSide, kernel = 'linear', threshold, skip } = options
  const name = basename(from)
  const shared = {
    schema: 'whisklens.model/1' as const,
    id,
    license,
    description: options.about ?? `${name}, a network for ${task}`,
    source: options.source ?? `${(await stat(from)).isFile() ? 'The file' : 'The folder'} ${name}`,
  }
  const onnx = await onnxFileOf(from)
  if (task === 'detection' && !onnx) {
    await copyGraph(from, folder)
    await writeLabels(folder, await classesOf(options))
    return { ...shared, task, input: { longestSide, kernel }, labels: 'labels.json', threshold }
  }
  if (task !== 'classification' && task !== 'embedding') {
    throw new InvalidInputError(
      'bad_parameter',
      `A network for ${task} needs a whisklens.json: options cannot describe it`,
    )
  }
  const { input, classes, logits } = onnx
    ? await importOnnx(onnx, folder, options)
    : await importGraph(from, folder, options)
  if (task === 'embedding') return { ...shared, task, input }
  await writeLabels(folder, classes)
  return { ...shared, task, input, labels: 'labels.json', logits, skip }
}

/** @returns the side of the square input, if defined */
async function copyGraph(from: string, folder: string): Promise<number | undefined> {
  const network = await collectNetwork(readerOf(from))
  for (const [name, content] of network.files) await writeFile(join(folder, name), content)
  return sideOf(network)
}

async function importGraph(from: string, folder: string, options: ImportOptions): Promise<Network> {
  const defined = await copyGraph(from, folder)
  const { size = defined, logits } = options
  if (size === undefined) {
    throw new InvalidInputError('bad_parameter', 'The network does not define the size of its input', {
      hint: 'Set it: --size 224.',
    })
  }
  const classes = options.task === 'embedding' ? [] : await classesOf(options)
  return { input: inputOf({ size }, options), classes, logits }
}

async function importOnnx(file: string, folder: string, options: ImportOptions): Promise<Network> {
  const facts = await copyOnnx(file, folder)
  const published = { ...publishedInside(facts.metadata), ...(await publishedBeside(dirname(file))) }
  const input = inputOf(fitOf(facts, options, published), options, published)
  if (options.task === 'embedding') return { input, classes: [] }
  const classes = await classesOf(options, published)
  return { input, classes, logits: logitsOf(facts, options.logits, classes.length + (options.skip ?? 0)) }
}

const writeLabels = (folder: string, classes: ModelClass[]): Promise<void> =>
  writeFile(join(folder, 'labels.json'), `${JSON.stringify(classes, null, 1)}\n`)

async function classesOf(
  { labels }: ImportOptions,
  { classes }: Pick<Published, 'classes'> = {},
): Promise<ModelClass[]> {
  if (labels === undefined && classes) return classes
  if (labels === undefined) {
    throw new InvalidInputError(
      'bad_parameter',
      'Expected the names of the classes, in the order of the outputs',
      {
        hint: 'Set --labels <file>, with a name per line or a JSON array.',
      },
    )
  }
  const text = await readFile(labels, 'utf8').catch((cause) => {
    throw new InvalidInputError('file_not_found', `There is no file ${labels}`, { cause })
  })
  return parseClasses(text, labels)
}

/** Options take precedence over published values. */
function inputOf(
  fit: Pick<SquareInput, 'size' | 'layout' | 'type'>,
  options: ImportOptions,
  published: Published = {},
): SquareInput {
  // A short side published for another size would crop differently.
  const publishedShortSide = published.size === fit.size ? published.shortSide : undefined
  const { shortSide = publishedShortSide, kernel = published.kernel ?? 'linear' } = options
  return {
    ...fit,
    ...(shortSide && { resizeShortSide: shortSide }),
    kernel,
    ...scaleFor(fit.type, options, published),
  }
}

function scaleFor(
  type: SquareInput['type'],
  { range, mean, std }: ImportOptions,
  published: Published,
): Pick<SquareInput, 'mean' | 'std'> {
  if (range) return scaleOf(range)
  if (mean !== undefined && std !== undefined) return { mean, std }
  // Pixels are passed unscaled.
  if (type === 'uint8') return { mean: 0, std: 1 }
  if (published.mean !== undefined && published.std !== undefined)
    return { mean: published.mean, std: published.std }
  throw new InvalidInputError('bad_parameter', 'Expected the range of pixel values of the network', {
    hint: 'Set --range 0,1 or --range -1,1, or --mean and --std: one number, or one per channel.',
  })
}
