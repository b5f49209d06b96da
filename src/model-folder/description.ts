import * as z from 'zod'

/** One class a model can name. */
export const classSchema = z.strictObject({
  /** WordNet id of an ImageNet class, such as `n02123045`; other models have none. */
  wordnetId: z
    .string()
    .regex(/^n\d{8}$/)
    .optional(),
  /** Of a class that has another id, such as one of COCO's; without any, its position stands for it. */
  id: z.string().min(1).optional(),
  /** All synonyms, comma separated. */
  className: z.string().min(1),
})
export type ModelClass = z.infer<typeof classSchema>

const kernel = z.enum(['cubic', 'lanczos3', 'mitchell', 'linear'])

/** One number for all channels, or one for each of red, green and blue. */
const perChannel = <T extends z.ZodType<number>>(value: T) => z.union([value, z.tuple([value, value, value])])

/** Far more than any network sees, and what memory still holds. */
const side = z.int().positive().max(4096)

const squareInputSchema = z
  .strictObject({
    /** Side of the square the network sees, pixels. */
    size: side,
    /** The shorter side is brought to so many pixels before the centre is cut out; without it, all is squeezed in. */
    resizeShortSide: side.optional(),
    kernel,
    /** A channel value of 0–255 becomes (value − mean) / std. */
    mean: perChannel(z.number()),
    std: perChannel(z.number().positive()),
    /** How `model.onnx` has its axes: without it `nhwc`, as graphs of TensorFlow.js always have. */
    layout: z.enum(['nhwc', 'nchw']).optional(),
    /** What `model.onnx` takes: without it `float32`; as `uint8` pixels as they are, scaled inside the network. */
    type: z.enum(['float32', 'uint8']).optional(),
  })
  .refine(
    ({ size, resizeShortSide = size }) => size <= resizeShortSide,
    'expected size to be at most resizeShortSide',
  )

const wholeInputSchema = z.strictObject({
  /** A larger image is shrunk until its longer side has so many pixels; nothing is cut off. */
  longestSide: z.int().positive(),
  kernel,
})

/** What a model is called, and its folder. */
export const idSchema = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/)

const shared = {
  schema: z.literal('whisklens.model/1'),
  id: idSchema,
  license: z.string(),
  description: z.string(),
  source: z.string(),
  /** sha256 of files of the folder, in hex: where a name stands here, no other content is taken. */
  checksums: z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/)).optional(),
}

/** Name of the file with the classes. */
const labels = z.string()

const classificationSchema = z.strictObject({
  ...shared,
  task: z.literal('classification'),
  input: squareInputSchema,
  labels,
  /** Whether the network ends before its softmax. */
  logits: z.boolean().default(false),
  /** So many values come before that of the first class, such as one for the background. */
  skip: z.int().nonnegative().default(0),
  /** The library that runs it on TensorFlow.js: `@tensorflow-models/mobilenet`. */
  family: z.literal('mobilenet').optional(),
})

const embeddingSchema = z.strictObject({
  ...shared,
  task: z.literal('embedding'),
  input: squareInputSchema,
})

const detectionSchema = z.strictObject({
  ...shared,
  task: z.literal('detection'),
  input: wholeInputSchema,
  labels,
  /** What is less probable is not kept. */
  threshold: z.number().min(0).max(1).default(0.5),
})

const facesSchema = z.strictObject({
  ...shared,
  task: z.literal('faces'),
  input: wholeInputSchema,
  labels,
  threshold: z.number().min(0).max(1).default(0.5),
})

/** `whisklens.json`, the description beside a model's files. */
export const descriptionSchema = z.discriminatedUnion('task', [
  classificationSchema,
  embeddingSchema,
  detectionSchema,
  facesSchema,
])
export type ModelDescription = z.infer<typeof descriptionSchema>

/** What a model is for. */
export type TaskName = ModelDescription['task']

/** The description of a model of one task. */
export type DescriptionOf<T extends TaskName> = Extract<ModelDescription, { task: T }>

export type SquareInput = z.infer<typeof squareInputSchema>
export type WholeInput = z.infer<typeof wholeInputSchema>
