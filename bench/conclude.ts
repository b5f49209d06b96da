import { gbSecondsOf, rounded } from '../src/batch/records/usage'
import { settingsFromEnvironment } from '../src/config'
import { reference } from './contestants'
import type { ContestantFindings, Findings, Ratios } from './findings'
import type { Chunks } from './measure/chunks'
import type { ColdStarts } from './measure/cold-starts'
import type { Pipeline } from './measure/pipelines'
import { median, percentile, ratioOf } from './statistics'

/** Raw measurements. */
export interface Measured {
  pipelines: Record<string, Pipeline>
  chunks: Chunks
  coldStarts: ColdStarts
}

/** Derives the findings. @param skipped contestants, and why they are missing */
export function concluded(
  { pipelines, chunks, coldStarts }: Measured,
  skipped: Record<string, string>,
): Pick<Findings, 'contestants' | 'chunks' | 'sizes' | 'coldStarts' | 'ratios' | 'skipped'> {
  const { contestants: firstLabels, ...starts } = coldStarts
  const contestants = Object.fromEntries(
    Object.entries(pipelines).map(([name, pipeline]) => [
      name,
      contestant(pipeline, firstLabels[name] ?? [], pipelines[reference]),
    ]),
  )
  const engines = Object.entries(chunks.engines).map(([name, { inference, chunk }]) => [
    name,
    { inference, chunk, ratio: ratioOf(chunk, inference) },
  ])
  const ratios = ratiosOf(contestants, chunks, starts)
  return {
    contestants,
    chunks: Object.fromEntries(engines),
    sizes: chunks.sizes,
    coldStarts: starts,
    ratios,
    skipped,
  }
}

function contestant(
  { what, times, imagesPerSecond, resident, peak, labels }: Pipeline,
  coldStart: number[],
  other: Pipeline | undefined,
): ContestantFindings {
  const p50 = percentile(times.flat(), 0.5)
  const memory = actionMemory(peak)
  const classifyMs = p50 * 1e6
  const gbSeconds = gbSecondsOf({ classifyMs, aggregateMs: 0 }, { classify: memory, aggregate: 0 })
  return {
    what,
    ms: { p50, p95: percentile(times.flat(), 0.95), rounds: times.map(median) },
    imagesPerSecond,
    coldStart,
    resident,
    peak,
    agreement: what.startsWith('the seed') ? null : agreement(labels, other?.labels ?? []),
    memory,
    gbSecondsPerMillion: rounded(gbSeconds),
    costPerMillion: rounded(gbSeconds * Number(settingsFromEnvironment().gbSecondPrice)),
  }
}

/** Memory of the smallest action that fits, MB: a power of two, at least 128. */
function actionMemory(peak: number): number {
  let megabytes = 128
  while (megabytes * 1024 * 1024 < peak) megabytes *= 2
  return megabytes
}

const agreement = (labels: number[], others: number[]): number =>
  labels.filter((label, image) => label === others[image]).length / labels.length

function ratiosOf(
  contestants: Record<string, ContestantFindings>,
  chunks: Chunks,
  { bundled, unbundled }: Pick<ColdStarts, 'bundled' | 'unbundled'>,
): Ratios {
  const times = (one: string, other: string) => {
    const [these, those] = [contestants[one], contestants[other]]
    return these && those ? ratioOf(these.ms.rounds, those.ms.rounds) : null
  }
  const { inference, chunk } = chunks.engines[reference] ?? { inference: [], chunk: [] }
  const { one, two } = contestants[reference]?.imagesPerSecond ?? { one: [], two: [] }
  return {
    tfjsNodeVsOnnxruntime: times('tfjs-node', 'onnxruntime'),
    tfjsNodeVsSeed: times('tfjs-node', 'seed-tfjs-node'),
    wasmVsSeed: times('wasm', 'seed-wasm'),
    chunkVsInference: ratioOf(chunk, inference),
    // Images per second, so the ratio is inverted.
    largeVsSmallJpeg: ratioOf(chunks.sizes.small, chunks.sizes.large),
    coldStart: ratioOf(bundled, unbundled),
    twoWorkers: ratioOf(two, one),
  }
}
