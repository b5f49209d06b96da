import * as z from 'zod'

/*
 * What a run of the benchmark found: what it prints with --json.
 */

const positive = z.number().positive()
const perRound = z.array(positive).min(1)

/** A ratio, or null where a contestant is missing: `skipped` says why. */
const ratio = positive.nullable()

const contestantSchema = z.strictObject({
  what: z.string(),
  /** Milliseconds an image, one at a time, decoding included: of all images, and of each round the median. */
  ms: z.strictObject({ p50: positive, p95: positive, rounds: perRound }),
  /** By one process and by two at once, as fast as they can. */
  imagesPerSecond: z.strictObject({ one: perRound, two: perRound }),
  /** Milliseconds from the start of a process to its first label. */
  coldStart: perRound,
  /** Bytes. */
  resident: z.int().positive(),
  peak: z.int().positive(),
  /** Share of the images with the reference's first label; null for another network. */
  agreement: z.number().min(0).max(1).nullable(),
  /** The smallest action that holds the peak, MB, and what a million images take in it. */
  memory: z.int().positive(),
  gbSecondsPerMillion: positive,
  costPerMillion: z.number().nonnegative(),
})
export type ContestantFindings = z.infer<typeof contestantSchema>

const ratiosSchema = z.strictObject({
  tfjsNodeVsOnnxruntime: ratio,
  tfjsNodeVsSeed: ratio,
  wasmVsSeed: ratio,
  chunkVsInference: ratio,
  largeVsSmallJpeg: ratio,
  coldStart: ratio,
  twoWorkers: ratio,
})
export type Ratios = z.infer<typeof ratiosSchema>

export const findingsSchema = z.strictObject({
  schema: z.literal('whisklens.bench/1'),
  at: z.iso.datetime(),
  machine: z.strictObject({
    cpu: z.string(),
    cores: z.int().positive(),
    memoryGB: positive,
    node: z.string(),
    /** Processes that wanted a core in the minute before. */
    load: z.number().nonnegative(),
  }),
  run: z.strictObject({ command: z.string(), rounds: z.int().positive(), images: z.int().positive() }),
  contestants: z.record(z.string(), contestantSchema),
  /** Images a second by engine: the network alone, and a chunk of a batch from the object store. */
  chunks: z.record(z.string(), z.strictObject({ inference: perRound, chunk: perRound, ratio: positive })),
  /** Images a second, one after the other from the object store, with WebAssembly. */
  sizes: z.strictObject({ small: perRound, large: perRound }),
  /**
   * Milliseconds to the first label with WebAssembly; `withInit` has /init unpack the zip, `inherent` is what of the unbundled
   * script's time does not depend on how code is loaded.
   */
  coldStarts: z.strictObject({
    bundled: perRound,
    withInit: perRound,
    unbundled: perRound,
    inherent: perRound,
  }),
  ratios: ratiosSchema,
  /** What is missing, and why. */
  skipped: z.record(z.string(), z.string()),
})
export type Findings = z.infer<typeof findingsSchema>
