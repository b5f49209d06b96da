import { relative } from 'node:path'
import type { Command } from 'commander'
import { InvalidInputError } from '../../errors'
import { convertModel, sourceOf } from '../../models/convert'
import { converterFolder, installConverter } from '../../models/converter'
import { wholeNumber } from '../shared/options'
import { next, note, type OutputOptions, outputOptions, print, printJson } from '../shared/output'

interface ConvertFlags extends OutputOptions {
  float16?: boolean
  force?: boolean
  size?: number
  install?: boolean
}

/** `whisklens model convert`. */
export function register(model: Command): void {
  const command = model
    .command('convert')
    .description('convert a Keras, TensorFlow or TensorFlow.js model to model.json and model.onnx')
    .argument('[input]', 'a .keras or .h5 file, or a folder with a SavedModel or model.json')
    .argument('[output]', 'the new folder')
    .option('--float16', 'store weights as float16, half the size (not for TensorFlow.js models)')
    .option('--size <pixels>', 'side of the input, if the layers do not define it', wholeNumber(1, 65_536))
    .option('--force', 'replace the output folder')
    .option(
      '--install',
      'first install the TensorFlow converter (Python 3.11 to 3.13; 300 MB, 1.5 GB unpacked)',
    )
  outputOptions(command, 'print one JSON object')
    .addHelpText(
      'after',
      `
Batch norms are folded and activations fused. TensorFlow.js models are converted by Whisklens, all others by TensorFlow's
own converter, in a Python virtual environment that --install creates in ~/.cache/whisklens/converter
(env: WHISKLENS_CONVERTER). Reading a SavedModel or .keras file may run code: convert only files you trust.

Examples:
  whisklens model convert --install
  whisklens model convert flowers.keras flowers/
  whisklens model convert mobilenet_v1_0.25_224/ mobilenet/ --size 224
  whisklens model add ./flowers --labels flowers.txt --range -1,1`,
    )
    .action(run)
}

async function run(
  input: string | undefined,
  output: string | undefined,
  options: ConvertFlags,
): Promise<void> {
  if (options.install) {
    await installConverter((step) => note(step, options))
    note(`Installed to ${converterFolder()}`, options)
    if (input === undefined) return
  }
  if (input === undefined || output === undefined) {
    throw new InvalidInputError('bad_parameter', 'Expected an input and an output folder', {
      hint: 'whisklens model convert <input> <output>',
    })
  }
  const source = await sourceOf(input)
  note(source.kind === 'tfjs' ? `Converting ${input}` : `Converting ${input} with TensorFlow`, options)
  await convertModel(source, output, options)
  await (options.json ? printJson({ kind: source.kind, input, output }) : print(`${output}\n`))
  next(`whisklens model add ./${relative('.', output)}`, options)
}
