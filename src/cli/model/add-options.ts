import { type Command, Option } from 'commander'
import * as z from 'zod'
import { idSchema } from '../../model-folder/description'
import type { ImportOptions } from '../../models/import'
import { matching, wholeNumber } from '../shared/options'
import type { OutputOptions } from '../shared/output'

export interface AddFlags extends OutputOptions, Partial<ImportOptions> {
  from?: string
  sha256?: string
  force?: boolean
}

const numbers = z
  .string()
  .transform((text) => text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part))))
const perChannel = numbers.pipe(
  z.union([z.tuple([z.number()]).transform(([one]) => one), z.tuple([z.number(), z.number(), z.number()])]),
)
const range = numbers.pipe(z.tuple([z.number(), z.number()]).refine(([least, most]) => least < most))
const channels = 'Expected one number, or three with commas between them.'

/** Options that describe a folder without `whisklens.json`, with their flags. */
const describing = {
  task: '--task',
  labels: '--labels',
  size: '--size',
  range: '--range',
  mean: '--mean',
  std: '--std',
  shortSide: '--short-side',
  kernel: '--kernel',
  layout: '--layout',
  logits: '--logits',
  skip: '--skip',
  longestSide: '--longest-side',
  threshold: '--threshold',
  license: '--license',
  about: '--about',
  source: '--source',
} as const

/** The given flags that apply only to a folder without `whisklens.json`. */
export const describingFlags = (flags: AddFlags): string[] =>
  Object.entries(describing).flatMap(([name, flag]) =>
    flags[name as keyof typeof describing] === undefined ? [] : [flag],
  )

const pixels = wholeNumber(1, 65_536)

/** Adds the options of `whisklens model add`. */
export const addOptions = (command: Command): Command =>
  command
    .option('--from <folder>', 'folder with the files of a model of the catalogue, instead of a download')
    .option(
      '--sha256 <hex>',
      'expected SHA-256 of model.json and its weights',
      matching(z.string().regex(/^[0-9a-f]{64}$/), 'Expected 64 hexadecimal digits.'),
    )
    .option('--force', 'replace a model of the same name')
    .option(
      '--id <name>',
      'name of the model (default: that of the folder)',
      matching(idSchema, 'Expected at most 64 lower-case letters, digits, dots, hyphens and underscores.'),
    )
    .optionsGroup('For a folder without whisklens.json:')
    .addOption(
      new Option('--task <task>', 'task of the model (default: classification)').choices([
        'classification',
        'embedding',
        'detection',
      ]),
    )
    .option('--labels <file>', 'classes in the order of the outputs: a name per line, or a JSON array')
    .option('--size <pixels>', 'side of the square input, if the network does not define it', pixels)
    .option(
      '--range <least,most>',
      'range of pixel values: 0,1 or -1,1',
      matching(range, 'Expected two numbers, such as -1,1.'),
    )
    .option(
      '--mean <numbers>',
      'instead of --range: subtracted from pixel values 0–255 …',
      matching(perChannel, channels),
    )
    .option('--std <numbers>', '… which are then divided by this', matching(perChannel, channels))
    .option('--short-side <pixels>', 'resize the shorter side to this, and crop the centre', pixels)
    .addOption(
      new Option('--kernel <kernel>', 'how images are resized (default: linear)').choices([
        'cubic',
        'lanczos3',
        'mitchell',
        'linear',
      ]),
    )
    .addOption(
      new Option(
        '--layout <layout>',
        'ONNX: order of the dimensions, if the network does not define it',
      ).choices(['nhwc', 'nchw']),
    )
    .option('--logits', 'the network returns logits, without softmax')
    .option('--no-logits', 'ONNX: the network returns probabilities')
    .option('--skip <count>', 'number of outputs before the first class', wholeNumber(0, 1000))
    .option('--longest-side <pixels>', 'detection: longest side of the input (default: 640)', pixels)
    .option(
      '--threshold <p>',
      'detection: minimum probability of an object',
      matching(z.coerce.number().min(0).max(1), 'Expected a number from 0 to 1.'),
    )
    .option('--license <name>', 'licence, such as Apache-2.0')
    .option('--about <text>', 'description, one line')
    .option('--source <text>', 'origin, such as a URL')
    .optionsGroup('Options:')
