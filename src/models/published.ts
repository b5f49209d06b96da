import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import * as z from 'zod'
import { InvalidInputError } from '../errors'
import type { ModelClass, SquareInput } from '../model-folder/description'
import { scaleOf } from './describe'

/*
 * Metadata published with models: `config.json` and `preprocessor_config.json` as written by timm and transformers, or
 * properties of an ONNX file.
 */

/** Published properties; the rest must come from options. */
export interface Published {
  size?: number
  layout?: SquareInput['layout']
  shortSide?: number
  kernel?: SquareInput['kernel']
  mean?: SquareInput['mean']
  std?: SquareInput['std']
  classes?: ModelClass[]
}

const perChannel = z.tuple([z.number(), z.number(), z.number()])

/** timm's configuration; at the top level in older files. */
const timmSchema = z.object({
  input_size: z.tuple([z.literal(3), z.int().positive(), z.int().positive()]),
  interpolation: z.string().optional(),
  crop_pct: z.number().positive().max(1).optional(),
  crop_mode: z.string().optional(),
  mean: perChannel,
  std: perChannel,
})

const configSchema = z.object({
  pretrained_cfg: z.looseObject({ label_names: z.array(z.string()).optional() }).optional(),
  label_names: z.array(z.string()).optional(),
  id2label: z.record(z.string().regex(/^\d+$/), z.string()).optional(),
})

const square = z.union([
  z.int().positive(),
  z.object({ height: z.int().positive(), width: z.int().positive() }).transform(({ height }) => height),
])

const preprocessorSchema = z.object({
  do_normalize: z.boolean().default(true),
  do_rescale: z.boolean().default(true),
  rescale_factor: z
    .number()
    .positive()
    .default(1 / 255),
  image_mean: perChannel.optional(),
  image_std: perChannel.optional(),
  /** Filter number of Pillow. */
  resample: z.int().optional(),
  size: z.union([square, z.object({ shortest_edge: z.int().positive() })]),
  do_center_crop: z.boolean().default(false),
  crop_size: square.optional(),
  crop_pct: z.number().positive().max(1).nullish(),
})

const kernels: Record<string, SquareInput['kernel']> = {
  lanczos: 'lanczos3',
  bilinear: 'linear',
  bicubic: 'cubic',
}
const kernelOf = (name: string | undefined) => (name === undefined ? undefined : kernels[name])
const filters: Record<number, string> = { 1: 'lanczos', 2: 'bilinear', 3: 'bicubic' }

/** Removes the noise of a decimal 1/255. */
const rounded = (values: [number, number, number], scale: number) =>
  values.map((value) => Math.round((value / scale) * 1e6) / 1e6) as [number, number, number]

const classesOf = (names: string[]): ModelClass[] => names.map((className) => ({ className }))

/** @throws InvalidInputError when an id is missing */
function classesById(names: Record<string, string>): ModelClass[] {
  const count = Object.keys(names).length
  return classesOf(
    Array.from({ length: count }, (_, index) => {
      const name = names[index]
      if (name === undefined)
        throw new InvalidInputError(
          'bad_model',
          `The classes of the model go up to ${count - 1}, but ${index} is missing`,
        )
      return name
    }),
  )
}

function fromTimm(config: unknown): Published {
  const { data } = timmSchema.safeParse(config)
  if (!data) return {}
  const { input_size, interpolation, crop_pct = 1, crop_mode, mean, std } = data
  const [, size] = input_size
  return {
    size,
    layout: 'nchw',
    // Squashed whole into the square.
    shortSide: crop_mode === 'squash' ? undefined : Math.floor(size / crop_pct),
    kernel: kernelOf(interpolation),
    mean: rounded(mean, 1 / 255),
    std: rounded(std, 1 / 255),
  }
}

function fromConfig(config: unknown): Published {
  const { data } = configSchema.safeParse(config)
  const { pretrained_cfg: timm, label_names = timm?.label_names, id2label } = data ?? {}
  return {
    ...fromTimm(timm ?? config),
    ...(label_names && { classes: classesOf(label_names) }),
    ...(id2label && { classes: classesById(id2label) }),
  }
}

function fromPreprocessor(config: unknown): Published {
  const { data } = preprocessorSchema.safeParse(config)
  if (!data) return {}
  const { size: resized, do_center_crop, crop_size, crop_pct, do_normalize, do_rescale } = data
  const isCut = typeof resized !== 'number'
  const edge = isCut ? resized.shortest_edge : resized
  const size = do_center_crop && crop_size ? crop_size : edge
  const shortSide = crop_pct && isCut ? Math.floor(edge / crop_pct) : edge
  const scale = do_rescale ? data.rescale_factor : 1
  const { image_mean: mean = [0, 0, 0], image_std: std = [1, 1, 1] } = do_normalize ? data : {}
  return {
    size,
    layout: 'nchw',
    shortSide: isCut || shortSide > size ? shortSide : undefined,
    kernel: kernelOf(filters[data.resample ?? -1]),
    mean: rounded(mean, scale),
    std: rounded(std, scale),
  }
}

async function readJson(folder: string, name: string): Promise<unknown> {
  const text = await readFile(join(folder, name), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new InvalidInputError('bad_model', `${join(folder, name)} is not JSON`, { cause })
  }
}

/** Reads the metadata files beside a model. Exports into a folder `onnx` have them one level up. */
export async function publishedBeside(folder: string): Promise<Published> {
  const places = basename(folder) === 'onnx' ? [folder, dirname(folder)] : [folder]
  const found: Published = {}
  for (const place of places) {
    Object.assign(found, fromConfig(await readJson(place, 'config.json')))
    Object.assign(found, fromPreprocessor(await readJson(place, 'preprocessor_config.json')))
  }
  return found
}

/** ONNX's names for pixel ranges. */
const ranges: Record<string, [number, number]> = {
  NominalRange_0_255: [0, 255],
  Normalized_0_1: [0, 1],
  Normalized_1_1: [-1, 1],
}

/** Parses names as printed by Python, `{0: 'tabby', 1: "a cat's"}`, or as JSON. */
function parseNames(text: string): Record<string, string> | undefined {
  const entries = [...text.matchAll(/["']?(\d+)["']?\s*:\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")/g)]
  if (entries.length === 0) return undefined
  return Object.fromEntries(
    entries.map(([, index = '', single, double]) => [
      index,
      (single ?? double ?? '').replace(/\\(.)/g, '$1'),
    ]),
  )
}

/**
 * Reads the properties of an ONNX file.
 * @throws InvalidInputError when the model takes other pixels than RGB
 */
export function publishedInside(metadata: ReadonlyMap<string, string>): Published {
  const format = metadata.get('Image.BitmapPixelFormat') ?? 'Rgb8'
  if (format !== 'Rgb8')
    throw new InvalidInputError(
      'model_unsupported',
      `The model expects pixels as ${format}; only Rgb8 is supported`,
    )
  const range = ranges[metadata.get('Image.NominalPixelRange') ?? '']
  const names = parseNames(metadata.get('names') ?? metadata.get('id2label') ?? '')
  return { ...(range && scaleOf(range)), ...(names && { classes: classesById(names) }) }
}
