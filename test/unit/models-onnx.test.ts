import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import fc from 'fast-check'
import { decodeImage } from '../../src/classifier/decode'
import { findEngine } from '../../src/classifier/engines'
import { loadModel } from '../../src/classifier/load'
import { InvalidInputError } from '../../src/errors'
import { readModelFolder } from '../../src/model-folder/folder'
import { addModel } from '../../src/models/add'
import { copyModel, readDescription } from '../../src/models/copy'
import { type ImportOptions, importNetwork } from '../../src/models/import'
import { type BaseModel, embeddingOf } from '../../src/models/teach/embedding'
import { writeTaught } from '../../src/models/teach/taught'
import { type Attribute, OnnxGraph, type OnnxType } from '../../src/network/onnx/graph'
import { decode, factsOf } from '../../src/network/onnx/read'
import { type Bundle, bundle } from '../helpers/bundle'
import { needs } from '../helpers/needs'
import { expectedOf, fixture, pattern } from '../helpers/onnx-fixtures'

const folder = mkdtempSync(join(tmpdir(), 'whisklens-onnx-'))
afterAll(() => rmSync(folder, { recursive: true }))
let count = 0
const fresh = (): string => join(folder, `${count++}`)

const keras = { labels: join(folder, 'keras.txt'), range: [-1, 1] as [number, number] }
writeFileSync(keras.labels, 'rose\ntulip\ndaisy\n')

const warmUp = async (): Promise<void> => {}
const optionsOf = (more: Partial<ImportOptions>): ImportOptions => ({
  ...{ id: 'mine', task: 'classification', longestSide: 640, license: 'MIT' },
  ...more,
})
const add = (from: string, more: Partial<ImportOptions> = {}): Promise<string> =>
  addModel('mine', (to) => importNetwork(from, to, optionsOf(more)), { folder: fresh(), warmUp })

let child: Bundle
beforeAll(async () => {
  child = await bundle('test/helpers/onnx-child.ts')
})
afterAll(() => child.remove())

/** Probabilities of the test pattern, or its embedding. */
async function valuesOf(model: string, size: number, what = 'classify'): Promise<number[]> {
  const image = `${fresh()}.png`
  writeFileSync(image, await pattern(size))
  const NODE_PATH = [process.env.NODE_PATH, join(__dirname, '..', '..', 'node_modules')]
  const env = { NODE_PATH: NODE_PATH.filter(Boolean).join(delimiter) }
  const { exitCode, stdout, stderr } = await child.run([what, model, image], env)
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  return JSON.parse(stdout)
}

const furthest = (a: number[], b: number[]): number =>
  Math.max(...a.map((value, index) => Math.abs(value - (b[index] ?? Number.NaN))))

const exports = {
  'PyTorch, with its weights in a file beside it and a config.json of timm': {
    ...{ name: 'torch', size: 16, options: {}, tolerance: 1e-5 },
    input: {
      ...{ size: 16, resizeShortSide: 16, layout: 'nchw', kernel: 'cubic' },
      ...{ mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] },
    },
    described: { logits: true },
    classes: ['tabby', 'tiger cat', 'Persian cat', 'Egyptian cat'],
  },
  'Keras by tf2onnx': {
    ...{ name: 'keras', size: 12, options: keras, tolerance: 1e-5 },
    input: { size: 12, kernel: 'linear', mean: 127.5, std: 127.5 },
    described: { logits: false },
    classes: ['rose', 'tulip', 'daisy'],
  },
  'onnx.helper, quantized': {
    ...{ name: 'handmade', size: 10, options: {}, tolerance: 0.01 },
    input: { size: 10, layout: 'nchw', type: 'uint8', kernel: 'linear', mean: 0, std: 1 },
    described: { logits: false },
    classes: ['heart', "devil's trumpet", 'spade', 'club'],
  },
}

needs(findEngine('onnx').missing()).describe('a model that is exported by', () => {
  describe.each(Object.entries(exports))('%s', (_, { name, size, options, tolerance, ...rest }) => {
    let added: string
    beforeAll(async () => {
      added = await add(fixture(name), options)
    })

    it('is described by its metadata', async () => {
      const { description, classes } = await readModelFolder(added)
      expect(description).toMatchObject({ task: 'classification', input: rest.input, ...rest.described })
      expect(description.input).toEqual(rest.input)
      expect(classes.map(({ className }) => className)).toEqual(rest.classes)
      expect(readdirSync(added).sort()).toEqual(['labels.json', 'model.onnx', 'whisklens.json'])
    })

    it('gives the same probabilities as its exporter', async () => {
      const expected = expectedOf(name)
      // A constant output would make the comparison meaningless.
      expect(Math.max(...expected) - Math.min(...expected)).toBeGreaterThan(0.1)
      expect(furthest(await valuesOf(added, size), expected)).toBeLessThan(tolerance)
    })

    it('runs on ONNX Runtime only', async () => {
      await expect(loadModel(added, 'wasm')).rejects.toMatchObject({
        code: 'model_unfit',
        message: expect.stringMatching(/does not run on the engine "wasm": .*model\.json/),
      })
    })

    it('is taught, twice', async () => {
      let base = added
      for (const labels of [
        ['one', 'two'],
        ['three', 'four', 'five'],
      ]) {
        const model = (await readModelFolder(base)) as BaseModel
        const { withHead } = embeddingOf(model, base)
        const vector = await valuesOf(base, size, 'embed')
        expect(vector.length).toBeGreaterThanOrEqual(6)
        expect(new Set(vector).size).toBeGreaterThan(2)
        const kernel = Float32Array.from({ length: vector.length * labels.length }, (_, at) =>
          Math.sin(at * at),
        )
        const bias = Float32Array.from(labels, (_, at) => at / 10)
        const logits = Array.from(bias, (value, label) =>
          vector.reduce((sum, one, at) => sum + one * (kernel[at * labels.length + label] ?? 0), value),
        )
        const whole = logits.reduce((sum, value) => sum + Math.exp(value), 0)
        const network = withHead({ kernel, bias })
        const taught = { id: 'taught', base: model, network, labels, images: 2 }
        base = await addModel('taught', (to) => writeTaught(to, taught), { folder: fresh(), warmUp })
        const expected = logits.map((value) => Math.exp(value) / whole)
        expect(furthest(await valuesOf(base, size), expected)).toBeLessThan(1e-5)
      }
    })

    it('is added again from its folder', async () => {
      const description = await readDescription(added)
      const again = await addModel('again', (to) => copyModel(added, to, description), {
        folder: fresh(),
        warmUp,
      })
      expect(await valuesOf(again, size)).toEqual(await valuesOf(added, size))
    })
  })

  it('another, in a folder with a whisklens.json without a layout', async () => {
    const described = fresh()
    cpSync(fixture('torch'), described, { recursive: true })
    const path = join(await add(fixture('torch')), 'whisklens.json')
    const { checksums: _, logits: __, ...rest } = JSON.parse(readFileSync(path, 'utf8'))
    delete rest.input.layout
    writeFileSync(
      join(described, 'labels.json'),
      JSON.stringify(['a', 'b', 'c', 'd'].map((className) => ({ className }))),
    )
    writeFileSync(join(described, 'whisklens.json'), JSON.stringify(rest))
    const description = await readDescription(described)
    const added = await addModel('other', (to) => copyModel(described, to, description), {
      folder: fresh(),
      warmUp,
    })
    expect(furthest(await valuesOf(added, 16), expectedOf('torch'))).toBeLessThan(1e-5)
  })
})

/** Writes a typical network with the given deviations. @returns its file */
function network({
  name = 'image',
  type = 'float32' as OnnxType,
  shape = [-1, 3, 8, 8] as number[] | undefined,
  end = ['Softmax'],
  outputs = ['probabilities'],
  second = false,
} = {}): string {
  const graph = new OnnxGraph()
  const image = graph.input(name, shape, type)
  if (second) graph.input('more', shape)
  const floats = type === 'float32' ? image : graph.cast(image, 'float32')
  const planes = shape?.[3] === 3 ? graph.add('Transpose', [floats], { perm: [0, 3, 1, 2] }) : floats
  const pooled = graph.add('GlobalAveragePool', [planes])
  const flat = graph.add('Flatten', [pooled], { axis: 1 })
  const kernel = graph.floats([0.01, 0, 0, 0, 0.02, 0, 0, 0, 0.03], [3, 3])
  const bias = graph.floats([0, 0, 0], [3])
  const logits = graph.add('Gemm', [flat, kernel, bias])
  const axis: Record<string, Record<string, Attribute>> = { Softmax: { axis: 1 }, LogSoftmax: { axis: 1 } }
  const last = end.reduce((tensor, op) => graph.add(op, [tensor], axis[op] ?? {}), logits)
  const path = fresh()
  mkdirSync(path)
  writeFileSync(
    join(path, 'network.onnx'),
    graph.model(outputs.map((name) => ({ tensor: last, name, shape: [-1, 3] }))),
  )
  return path
}

const labels = join(folder, 'three.txt')
writeFileSync(labels, 'a\nb\nc\n')
const known = { labels, range: [0, 1] as [number, number] }

needs(findEngine('onnx').missing()).it(
  'images go in as the model takes them: in either layout, as floats or as pixels',
  async () => {
    const pixels = (await decodeImage(await pattern(8), { size: 8, kernel: 'linear' })).pixels
    const logits = [0, 1, 2].map((channel) => {
      const values = pixels.filter((_, index) => index % 3 === channel)
      return 0.01 * (channel + 1) * (values.reduce((sum, value) => sum + value, 0) / values.length)
    })
    const whole = logits.reduce((sum, value) => sum + Math.exp(value), 0)
    const expected = logits.map((value) => Math.exp(value) / whole)
    for (const shape of [
      [-1, 3, 8, 8],
      [1, 8, 8, 3],
    ]) {
      for (const type of ['float32', 'uint8'] as const) {
        const added = await add(network({ shape, type }), { labels, range: [0, 255] })
        expect(furthest(await valuesOf(added, 8), expected)).toBeLessThan(1e-5)
      }
    }
  },
)

describe('an ONNX model', () => {
  it.each<[string, string, Partial<ImportOptions>, object]>([
    [
      'the layout',
      network({ shape: [-1, 8, 8, 3] }),
      {},
      { input: { size: 8, kernel: 'linear', mean: 0, std: 255 } },
    ],
    [
      'the layout, where only the channels are told',
      network({ shape: [1, 3, -1, -1] }),
      { size: 20 },
      { input: { layout: 'nchw', size: 20 } },
    ],
    [
      'the layout, where it is said',
      network({ shape: undefined }),
      { size: 8, layout: 'nchw' },
      { input: { layout: 'nchw' } },
    ],
    [
      'pixels',
      network({ type: 'uint8' }),
      { range: undefined },
      { input: { type: 'uint8', mean: 0, std: 1 } },
    ],
    ['a softmax', network({ end: ['Softmax', 'Identity'] }), {}, { logits: false }],
    ['logits', network({ end: ['Identity'] }), {}, { logits: true }],
    ['the logarithms of probabilities', network({ end: ['LogSoftmax'] }), {}, { logits: true }],
    [
      'what is said of an end that does not tell',
      network({ end: ['Relu'] }),
      { logits: true },
      { logits: true },
    ],
  ])('%s is recognized', async (_, from, more, expected) => {
    const { description } = await readModelFolder(await add(from, { ...known, ...more }))
    expect(description).toMatchObject(expected)
  })

  it.each<[string, string, Partial<ImportOptions>, RegExp]>([
    [
      'two inputs',
      network({ second: true }),
      {},
      /one input, found 2\. Its inputs are image \(FLOAT \[n, 3, 8, 8\]\), more .* outputs probabilities/,
    ],
    [
      'two outputs',
      network({ outputs: ['one', 'two'] }),
      {},
      /one output, found 2.*one \(FLOAT \[n, 3\]\), two/,
    ],
    ['one channel', network({ shape: [-1, 1, 8, 8] }), {}, /order of its dimensions/],
    ['channels elsewhere than said', network(), { layout: 'nhwc' }, /takes 8 channels as nhwc/],
    ['integers', network({ type: 'int32' }), {}, /FLOAT or UINT8, it is INT32/],
    ['eight images at once', network({ shape: [8, 3, 8, 8] }), {}, /takes 8 images at once/],
    ['three axes', network({ shape: [3, 8, 8] }), {}, /4 axes, it has 3/],
    ['no square', network({ shape: [1, 3, 8, 9] }), {}, /images of 8 × 9 pixels/],
    ['another size than said', network(), { size: 224 }, /images of 8 × 8 pixels, expected 224/],
    ['no size', network({ shape: [1, 3, -1, -1] }), {}, /size of its input/],
    ['no range', network(), { range: undefined }, /range of pixel values/],
    ['other classes', network(), { labels: keras.labels, skip: 1 }, /4 classes, but it outputs 3 values/],
    ['a softmax, of which logits are said', network(), { logits: true }, /ends in a Softmax/],
    ['an end that does not tell', network({ end: ['Relu'] }), {}, /ends in a Relu/],
    ['detection', network(), { task: 'detection' }, /options cannot describe it/],
  ])('%s: is refused with the reason', async (_, from, more, said) => {
    const adding = add(from, { ...known, ...more })
    await expect(adding).rejects.toBeInstanceOf(InvalidInputError)
    await expect(adding).rejects.toThrow(said)
  })

  it('several in a folder are refused, unless one is named', async () => {
    const path = network()
    cpSync(join(path, 'network.onnx'), join(path, 'quantized.onnx'))
    await expect(add(path, known)).rejects.toThrow(/Several ONNX models.*network\.onnx, quantized\.onnx/)
    await expect(add(join(path, 'quantized.onnx'), known)).resolves.toBeTruthy()
  })

  it('external, missing or truncated weights are refused', async () => {
    const path = fresh()
    cpSync(fixture('torch'), path, { recursive: true })
    const weights = readFileSync(join(path, 'cats.onnx.data'))
    writeFileSync(join(path, 'cats.onnx.data'), weights.subarray(0, -1))
    await expect(add(path)).rejects.toThrow(/cats\.onnx\.data is truncated in the weight/)
    rmSync(join(path, 'cats.onnx.data'))
    await expect(add(path)).rejects.toThrow(/Expected a file cats\.onnx\.data/)
    const model = readFileSync(join(path, 'cats.onnx'))
    const away = Buffer.from(
      model.toString('latin1').replaceAll('cats.onnx.data', '../../.ssh/key'),
      'latin1',
    )
    writeFileSync(join(path, 'cats.onnx'), away)
    await expect(add(path)).rejects.toThrow(/expected a file in the same folder/)
  })

  it('an invalid file is refused, without other exceptions', () => {
    const model = readFileSync(fixture('keras', 'model.onnx'))
    const cut = fc.integer({ min: 0, max: model.length }).map((length) => model.subarray(0, length))
    const changed = fc.tuple(fc.nat(model.length - 1), fc.nat(255)).map(([at, value]) => {
      const copy = Buffer.from(model)
      copy[at] = value
      return copy
    })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), cut, changed), (bytes) => {
        try {
          factsOf(decode(bytes))
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(InvalidInputError)
        }
      }),
    )
  })
})
