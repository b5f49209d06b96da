import { type Command, Option } from 'commander'
import * as z from 'zod'
import { idSchema } from '../model-folder/description'
import type { ImportOptions } from '../models/import'
import { matching, wholeNumber } from './options'
import type { OutputOptions } from './output'

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

/** What describes a folder that does not do so itself, by the names of the flags. */
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

/** The flags that were given and are only for a folder without `whisklens.json`. */
export const describingFlags = (flags: AddFlags): string[] =>
  Object.entries(describing).flatMap(([name, flag]) =>
    flags[name as keyof typeof describing] === undefined ? [] : [flag],
  )

const pixels = wholeNumber(1, 65_536)

/** Adds the options of `whisklens model add`. */
export const addOptions = (command: Command): Command =>
  command
    .option('--from <folder>', 'where the files of a model of the catalogue are; else they are downloaded')
    .option(
      '--sha256 <hex>',
      'refuse any other network: of model.json and then its weights',
      matching(z.string().regex(/^[0-9a-f]{64}$/), 'Expected 64 hexadecimal digits.'),
    )
    .option('--force', 'replace the model of that name')
    .option(
      '--id <name>',
      'what the folder is called from now on (default: its own name)',
      matching(idSchema, 'Expected at most 64 small letters, digits, dots, hyphens and underscores.'),
    )
    .optionsGroup('For a folder without whisklens.json:')
    .addOption(
      new Option('--task <task>', 'what it is for (default: classification)').choices([
        'classification',
        'embedding',
        'detection',
      ]),
    )
    .option('--labels <file>', 'its classes in the order of the outputs: a name a line, or an array of JSON')
    .option('--size <pixels>', 'side of the square it sees, where it does not tell', pixels)
    .option(
      '--range <least,most>',
      'what the values of pixels become: 0,1 or -1,1',
      matching(range, 'Expected two numbers, such as -1,1.'),
    )
    .option(
      '--mean <numbers>',
      'instead of a range: subtracted from values of 0–255 …',
      matching(perChannel, channels),
    )
    .option('--std <numbers>', '… before they are divided by this', matching(perChannel, channels))
    .option('--short-side <pixels>', 'bring the shorter side to so many, and cut out the centre', pixels)
    .addOption(
      new Option('--kernel <kernel>', 'how images are resized (default: linear)').choices([
        'cubic',
        'lanczos3',
        'mitchell',
        'linear',
      ]),
    )
    .addOption(
      new Option('--layout <layout>', 'ONNX: where it has its channels, where it does not tell').choices([
        'nhwc',
        'nchw',
      ]),
    )
    .option('--logits', 'it ends before its softmax')
    .option('--no-logits', 'it gives probabilities, where an ONNX model does not tell')
    .option('--skip <count>', 'so many outputs come before the first class', wholeNumber(0, 1000))
    .option('--longest-side <pixels>', 'detection: images are shrunk to it (default: 640)', pixels)
    .option(
      '--threshold <p>',
      'detection: what is less probable is not kept',
      matching(z.coerce.number().min(0).max(1), 'Expected a number from 0 to 1.'),
    )
    .option('--license <name>', 'its licence, such as Apache-2.0')
    .option('--about <text>', 'a line about it')
    .option('--source <text>', 'where it is from')
    .optionsGroup('Options:')
