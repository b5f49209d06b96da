import * as z from 'zod'

/** A class of a model. */
export const classSchema = z.strictObject({
  /** WordNet id of an ImageNet class, such as `n02123045`. */
  wordnetId: z
    .string()
    .regex(/^n\d{8}$/)
    .optional(),
  /** Another kind of id, such as one of COCO's. Defaults to the class's position. */
  id: z.string().min(1).optional(),
  /** All synonyms, comma separated. */
  className: z.string().min(1),
})
export type ModelClass = z.infer<typeof classSchema>

const kernel = z.enum(['cubic', 'lanczos3', 'mitchell', 'linear'])

/** A value for all channels, or one each for red, green and blue. */
const perChannel = <T extends z.ZodType<number>>(value: T) => z.union([value, z.tuple([value, value, value])])

/** Pixels: far more than networks use, but bounded in memory. */
const side = z.int().positive().max(4096)

const squareInputSchema = z
  .strictObject({
    /** Side of the network's square input, pixels. */
    size: side,
    /**
     * Resize the shorter side to this many pixels, then crop the centre; omitted, the image is squeezed into the
     * square.
     */
    resizeShortSide: side.optional(),
    kernel,
    /** A channel value of 0–255 is scaled to (value − mean) / std. */
    mean: perChannel(z.number()),
    std: perChannel(z.number().positive()),
    /** Axes of `model.onnx`; default `nhwc`, as in all TensorFlow.js graphs. */
    layout: z.enum(['nhwc', 'nchw']).optional(),
    /** Input type of `model.onnx`; default `float32`. With `uint8` pixels are scaled inside the network. */
    type: z.enum(['float32', 'uint8']).optional(),
  })
  .refine(
    ({ size, resizeShortSide = size }) => size <= resizeShortSide,
    'expected size to be at most resizeShortSide',
  )

const wholeInputSchema = z.strictObject({
  /** Larger images are shrunk until the longer side has this many pixels; nothing is cropped. */
  longestSide: z.int().positive(),
  kernel,
})

/** A model's id, also the name of its folder. */
export const idSchema = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/)

const shared = {
  schema: z.literal('whisklens.model/1'),
  id: idSchema,
  license: z.string(),
  description: z.string(),
  source: z.string(),
  /** SHA-256 of files, in hex: these files must match. */
  checksums: z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/)).optional(),
}

/** Name of the file that lists the classes. */
const labels = z.string()

const classificationSchema = z.strictObject({
  ...shared,
  task: z.literal('classification'),
  input: squareInputSchema,
  labels,
  /** Whether the network ends before its softmax. */
  logits: z.boolean().default(false),
  /** Outputs before that of the first class, such as one for the background. */
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
  /** Detections below this probability are dropped. */
  threshold: z.number().min(0).max(1).default(0.5),
})

const facesSchema = z.strictObject({
  ...shared,
  task: z.literal('faces'),
  input: wholeInputSchema,
  labels,
  threshold: z.number().min(0).max(1).default(0.5),
})

/** `whisklens.json`: describes a model. */
export const descriptionSchema = z.discriminatedUnion('task', [
  classificationSchema,
  embeddingSchema,
  detectionSchema,
  facesSchema,
])
export type ModelDescription = z.infer<typeof descriptionSchema>

export type TaskName = ModelDescription['task']

/** The description of a model for one task. */
export type DescriptionOf<T extends TaskName> = Extract<ModelDescription, { task: T }>

export type SquareInput = z.infer<typeof squareInputSchema>
export type WholeInput = z.infer<typeof wholeInputSchema>
