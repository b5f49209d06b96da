import { readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { InvalidInputError } from '../errors'
import { type Description, parseClasses, scaleOf } from './describe'
import type { SquareInput, TaskName } from './description'
import { collectNetwork, type NetworkFiles, readerOf, sideOf } from './network-files'

/** What a network's files do not say about it. */
export interface ImportOptions {
  id: string
  task: TaskName
  /** Path of a file with the classes, see {@link parseClasses}. */
  labels?: string
  /** Side of the square it sees, pixels; where the network tells, it need not be said. */
  size?: number
  shortSide?: number
  kernel: SquareInput['kernel']
  /** What the least and the greatest value of a pixel become; or mean and std instead. */
  range?: [number, number]
  mean?: SquareInput['mean']
  std?: SquareInput['std']
  logits?: boolean
  skip?: number
  /** Longer side of the images for detection, pixels. */
  longestSide: number
  threshold?: number
  license: string
  about?: string
  source?: string
}

/**
 * Copies a network of TensorFlow.js into a folder and describes it as it is told to.
 * @param from the folder with `model.json`
 * @throws InvalidInputError naming what is missing
 */
export async function importNetwork(
  from: string,
  folder: string,
  options: ImportOptions,
): Promise<Description> {
  const { id, task, license } = options
  const network = await collectNetwork(readerOf(from))
  const { format } = network
  for (const [name, content] of network.files) await writeFile(join(folder, name), content)
  if (task !== 'embedding') await writeLabels(folder, options)
  const name = basename(from)
  const shared = {
    schema: 'whisklens.model/1' as const,
    id,
    license,
    description: options.about ?? `${name}, a network for ${task}`,
    source: options.source ?? `The folder ${name}`,
  }
  const labels = 'labels.json'
  switch (task) {
    case 'classification':
      return {
        ...shared,
        task,
        format,
        input: squareInput(network, options),
        labels,
        logits: options.logits,
        skip: options.skip,
      }
    case 'embedding':
      return { ...shared, task, format, input: squareInput(network, options) }
    case 'detection': {
      if (format !== 'graph-model') throw new InvalidInputError('Expected a graph model for detection')
      const { longestSide, kernel, threshold } = options
      return { ...shared, task, format, input: { longestSide, kernel }, labels, threshold }
    }
    default:
      throw new InvalidInputError(
        `A network for ${task} needs a whisklens.json: it cannot be described by options`,
      )
  }
}

async function writeLabels(folder: string, { labels }: ImportOptions): Promise<void> {
  if (labels === undefined) {
    throw new InvalidInputError(
      'Expected a file with the names of the classes, in the order of the outputs',
      {
        hint: 'Name it: --labels <file>, with a name a line or an array of JSON.',
      },
    )
  }
  const text = await readFile(labels, 'utf8').catch((cause) => {
    throw new InvalidInputError(`There is no file ${labels}`, { cause })
  })
  await writeFile(join(folder, 'labels.json'), `${JSON.stringify(parseClasses(text, labels), null, 1)}\n`)
}

function squareInput(network: NetworkFiles, options: ImportOptions): SquareInput {
  const { size = sideOf(network), shortSide, kernel, range, mean, std } = options
  if (size === undefined) {
    throw new InvalidInputError('The network does not tell the size of its images', {
      hint: 'Say it: --size 224.',
    })
  }
  if (!range && (mean === undefined || std === undefined)) {
    throw new InvalidInputError('Expected the range of values that the network takes pixels in', {
      hint: 'Say it: --range 0,1 or --range -1,1, or --mean and --std, one number or one for each channel.',
    })
  }
  const scale = range ? scaleOf(range) : { mean: mean ?? 0, std: std ?? 1 }
  return { size, ...(shortSide && { resizeShortSide: shortSide }), kernel, ...scale }
}
