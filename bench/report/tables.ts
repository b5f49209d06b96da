import type { ContestantFindings, Findings, Ratios } from '../findings'
import { megabytes, table, thousands } from '../scale/table'
import { median } from '../statistics'

const fixed = (value: number, digits = 1): string => value.toFixed(digits)
const percent = (share: number): string => `${Math.round(share * 100)} %`

/** What each ratio compares, and its limit. */
const promises: Record<keyof Ratios, [what: string, promise: string]> = {
  tfjsNodeVsOnnxruntime: ['`tfjs-node` against onnxruntime-node with sharp, time an image', '≤ 1.0'],
  tfjsNodeVsSeed: ['`tfjs-node` against the seed on tfjs-node, time an image', '≤ 0.3'],
  wasmVsSeed: ['`wasm` against the seed on WebAssembly, time an image', '≤ 0.5'],
  chunkVsInference: ['a chunk from the object store against the network alone, images/s', '≥ 0.95'],
  largeVsSmallJpeg: ['a JPEG of 12 megapixels against one of 500×375, time an image', '≤ 1.6'],
  coldStart: ['first label of the unpacked zip against an unbundled script', '≤ 0.5'],
  twoWorkers: ['two processes against one, images/s', '≥ 1.55'],
}

const contestantRow = (
  name: string,
  { ms, imagesPerSecond, coldStart, resident, peak, ...rest }: ContestantFindings,
) => [
  name,
  fixed(ms.p50),
  fixed(ms.p95),
  fixed(median(imagesPerSecond.one)),
  fixed(median(imagesPerSecond.two)),
  fixed(median(coldStart), 0),
  megabytes(resident),
  megabytes(peak),
  rest.agreement === null ? '–' : percent(rest.agreement),
  `${rest.memory} MB`,
  thousands(Math.round(rest.gbSecondsPerMillion)),
  fixed(rest.costPerMillion, 2),
]

/** A row per contestant. */
export const contestantsTable = ({ contestants }: Findings): string =>
  table([
    [
      ...['', 'ms p50', 'ms p95', 'images/s', 'by two', 'first label, ms', 'resident', 'peak', 'agrees'],
      ...['action', 'GB-s / million', 'cost / million'],
    ],
    ...Object.entries(contestants).map(([name, found]) => contestantRow(name, found)),
  ])

/** A row per ratio, with its limit. */
export const ratiosTable = ({ ratios }: Findings): string =>
  table([
    ['ratio', 'of', 'found', 'aim'],
    ...Object.entries(promises).map(([name, [what, promise]]) => {
      const found = ratios[name as keyof Ratios]
      return [name, what, found === null ? '–' : fixed(found, 2), promise]
    }),
  ])

/** A row per engine: how much of its speed is left with images from the object store. */
export const chunksTable = ({ chunks }: Findings): string =>
  table([
    ['engine', 'network alone, images/s', 'chunk, images/s', 'ratio'],
    ...Object.entries(chunks).map(([engine, { inference, chunk, ratio }]) => [
      engine,
      fixed(median(inference)),
      fixed(median(chunk)),
      fixed(ratio, 2),
    ]),
  ])

/** Time to the first label with WebAssembly. */
export const coldStartsTable = ({ coldStarts }: Findings): string =>
  table([
    ['first label after, ms', 'median'],
    ['the zip, unpacked', fixed(median(coldStarts.bundled), 0)],
    ['the zip, with /init unpacking it', fixed(median(coldStarts.withInit), 0)],
    ['a script on node_modules', fixed(median(coldStarts.unbundled), 0)],
    ['of that, Node.js, WebAssembly, weights, inference', fixed(median(coldStarts.inherent), 0)],
  ])

export const machineLine = ({ machine, run }: Findings): string =>
  `${machine.cores} cores (${machine.cpu}), ${machine.memoryGB} GB, Node.js ${machine.node}, load ${fixed(machine.load)}; ` +
  `${run.rounds} rounds of ${run.images} images`

const skippedLines = ({ skipped }: Findings): string =>
  Object.entries(skipped)
    .map(([name, reason]) => `${name} is missing. ${reason}\n`)
    .join('')

/** All tables, for the terminal. */
export const summary = (found: Findings): string =>
  [contestantsTable, ratiosTable, chunksTable, coldStartsTable].map((make) => make(found)).join('\n') +
  `\n${machineLine(found)}\n${skippedLines(found)}`
