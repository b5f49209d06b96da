import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/*
 * A graph with the inputs and outputs of coco-ssd and known answers: each primary colour is an object in its own box,
 * with nine tenths of the image's share of that colour as its score.
 */

/** Objects for red, green and blue: COCO id and box. */
const things = [
  { id: 88, box: [0.1, 0.2, 0.3, 0.4] },
  { id: 1, box: [0.5, 0.1, 0.9, 0.3] },
  { id: 17, box: [0.4, 0.6, 0.95, 1.02] },
]
const classes = 90

const type = { T: { type: 'DT_FLOAT' } }
const index = { type: 'DT_INT32' }

interface Weight {
  name: string
  shape: number[]
  values: Float32Array | Int32Array
}

function scoresByColour(): Float32Array {
  const matrix = new Float32Array(3 * things.length * classes)
  things.forEach(({ id }, colour) => {
    matrix[(colour * things.length + colour) * classes + id - 1] = 0.9 / 255
  })
  return matrix
}

const weights: Weight[] = [
  { name: 'axes', shape: [3], values: Int32Array.of(0, 1, 2) },
  { name: 'row', shape: [2], values: Int32Array.of(1, 3) },
  { name: 'matrix', shape: [3, things.length * classes], values: scoresByColour() },
  { name: 'shape', shape: [3], values: Int32Array.of(1, things.length, classes) },
  {
    name: 'places',
    shape: [1, things.length, 1, 4],
    values: Float32Array.from(things.flatMap(({ box }) => box)),
  },
]
const isFloat = ({ values }: Weight): boolean => values instanceof Float32Array

const dim = [1, -1, -1, 3].map((size) => ({ size: String(size) }))
const nodes = [
  { name: 'image', op: 'Placeholder', input: [], attr: { dtype: index, shape: { shape: { dim } } } },
  ...weights.map((weight) => ({
    name: weight.name,
    op: 'Const',
    input: [],
    attr: { dtype: { type: isFloat(weight) ? 'DT_FLOAT' : 'DT_INT32' } },
  })),
  { name: 'pixels', op: 'Cast', input: ['image'], attr: { SrcT: index, DstT: { type: 'DT_FLOAT' } } },
  { name: 'mean', op: 'Mean', input: ['pixels', 'axes'], attr: { ...type, keep_dims: { b: false } } },
  { name: 'colour', op: 'Reshape', input: ['mean', 'row'], attr: type },
  {
    name: 'flat',
    op: 'MatMul',
    input: ['colour', 'matrix'],
    attr: { ...type, transpose_a: { b: false }, transpose_b: { b: false } },
  },
  { name: 'scores', op: 'Reshape', input: ['flat', 'shape'], attr: type },
  // The real network has control flow, too, which makes coco-ssd execute it asynchronously.
  { name: 'boxes', op: 'Merge', input: ['places'], attr: type },
]

/** Writes the files of coco-ssd's server: `model.json` and one shard. */
export function writeSmallDetector(folder: string): void {
  mkdirSync(folder, { recursive: true })
  const specs = weights.map((weight) => ({
    name: weight.name,
    shape: weight.shape,
    dtype: isFloat(weight) ? 'float32' : 'int32',
  }))
  const model = {
    format: 'graph-model',
    modelTopology: { node: nodes, versions: {} },
    weightsManifest: [{ paths: ['group1-shard1of1'], weights: specs }],
  }
  writeFileSync(join(folder, 'model.json'), JSON.stringify(model))
  const bytes = weights.map(({ values }) => Buffer.from(values.buffer))
  writeFileSync(join(folder, 'group1-shard1of1'), Buffer.concat(bytes))
}
