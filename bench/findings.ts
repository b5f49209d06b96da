import * as z from 'zod'

/*
 * Findings of a benchmark run, as printed with --json.
 */

const positive = z.number().positive()
const perRound = z.array(positive).min(1)

/** A ratio; null if a contestant is missing, see `skipped`. */
const ratio = positive.nullable()

const contestantSchema = z.strictObject({
  what: z.string(),
  /** Milliseconds per image, sequential, including decoding: over all images, and the median of each round. */
  ms: z.strictObject({ p50: positive, p95: positive, rounds: perRound }),
  /** Maximum throughput of one process, and of two in parallel. */
  imagesPerSecond: z.strictObject({ one: perRound, two: perRound }),
  /** Milliseconds from the start of a process to its first label. */
  coldStart: perRound,
  /** Bytes. */
  resident: z.int().positive(),
  peak: z.int().positive(),
  /** Share of images with the same top label as the reference; null for another network. */
  agreement: z.number().min(0).max(1).nullable(),
  /** Memory of the smallest action that holds the peak, MB, and the cost of a million images in it. */
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
    /** Load average of the last minute. */
    load: z.number().nonnegative(),
  }),
  run: z.strictObject({ command: z.string(), rounds: z.int().positive(), images: z.int().positive() }),
  contestants: z.record(z.string(), contestantSchema),
  /** Images per second by engine: the network alone, and a chunk of a batch from the object store. */
  chunks: z.record(z.string(), z.strictObject({ inference: perRound, chunk: perRound, ratio: positive })),
  /** Images per second with WebAssembly, sequential, from the object store. */
  sizes: z.strictObject({ small: perRound, large: perRound }),
  /**
   * Milliseconds to the first label with WebAssembly. `withInit` includes unpacking the zip in /init; `inherent` is the part of the
   * unbundled script's time that does not depend on how code is loaded.
   */
  coldStarts: z.strictObject({
    bundled: perRound,
    withInit: perRound,
    unbundled: perRound,
    inherent: perRound,
  }),
  ratios: ratiosSchema,
  /** Missing contestants, and why. */
  skipped: z.record(z.string(), z.string()),
})
export type Findings = z.infer<typeof findingsSchema>
