import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { findEngine } from '../../src/classifier/engines'
import { openEmbedder } from '../../src/cli/teach/embed'
import { InvalidInputError } from '../../src/errors'
import { readModelFolder } from '../../src/model-folder/folder'
import { writeDescription } from '../../src/models/describe'
import { type BaseModel, embeddingOf } from '../../src/models/teach/embedding'
import { labelOf, trainHead } from '../../src/models/teach/head'
import { split } from '../../src/models/teach/split'
import { teach } from '../../src/models/teach/teach'
import { embeddingNetwork, withHead } from '../../src/network/embedding'
import type { Network } from '../../src/network/graph'
import { outputsOf } from '../../src/network/graph'
import { layersToNetwork } from '../../src/network/layers'
import { topologySchema } from '../../src/network/layers/topology'
import { optimizeNetwork } from '../../src/network/optimize'
import { readNetwork } from '../../src/network/read'
import { networkFiles, writeFiles } from '../../src/network/write'
import { sample } from '../helpers/images'
import { loadNetwork } from '../helpers/network'
import { SmallLayers } from '../helpers/small-layers'

const size = 6
const image = Float32Array.from({ length: size * size * 3 }, (_, index) => Math.sin(index * index))

async function valuesOf(network: Network): Promise<Float32Array> {
  const predictor = await loadNetwork('cpu', network)
  const [values = new Float32Array()] = await predictor.predict(image)
  predictor.dispose()
  return values
}

function layers(build: (model: SmallLayers) => void): Network {
  const model = new SmallLayers(size)
  build(model)
  return optimizeNetwork(layersToNetwork(topologySchema.parse(model.topology), model.stored, size))
}

/** Ends in a 1×1 convolution, like MobileNet in Keras. */
const endsInConvolution = () =>
  layers((net) => {
    const stem = net.convolution('stem', 'image', [3, 3, 3, 5], { activation: 'relu' })
    const pooled = net.add('GlobalAveragePooling2D', 'pooled', [stem], {})
    const pixel = net.add('Reshape', 'pixel', [pooled], { target_shape: [1, 1, 5] })
    const logits = net.convolution('logits', pixel, [1, 1, 5, 8])
    const soft = net.add('Activation', 'soft', [logits], { activation: 'softmax' })
    net.add('Reshape', 'classes', [soft], { target_shape: [8] })
  })

const endsInProduct = () =>
  layers((net) => {
    const stem = net.convolution('stem', 'image', [3, 3, 3, 5], { activation: 'relu' })
    net.dense('classes', net.add('GlobalAveragePooling2D', 'pooled', [stem], {}), [5, 8], 'softmax')
  })

describe('the embedding of a classifier', () => {
  it.each([
    ['a matrix product', endsInProduct],
    ['a convolution of one pixel', endsInConvolution],
  ])('is the input of %s at its end', async (_, build) => {
    const network = build()
    const vector = await valuesOf(embeddingNetwork(network))
    expect(vector).toHaveLength(5)
    // A mean of relu outputs.
    expect(Math.min(...vector)).toBeGreaterThanOrEqual(0)
  })

  it('is that of the taught layer', async () => {
    const vector = await valuesOf(embeddingNetwork(endsInProduct()))
    const head = {
      kernel: Float32Array.from({ length: 10 }, (_, index) => index / 10),
      bias: Float32Array.of(0.5, 0),
    }
    const taught = withHead(embeddingNetwork(endsInProduct()), head)
    expect(await valuesOf(embeddingNetwork(taught))).toEqual(vector)
    const again = withHead(embeddingNetwork(taught), head)
    expect(await valuesOf(again)).toEqual(await valuesOf(taught))
  })

  it('of the default model has 1,280 values', async () => {
    const { files } = await readModelFolder('efficientnet-lite0')
    const embedding = embeddingNetwork(readNetwork(files, 224, ''))
    expect(outputsOf(embedding)).toEqual(['pool'])
  })

  it.each<[string, Network, string]>([
    ['a pool', layers((net) => net.add('GlobalAveragePooling2D', 'pooled', ['image'], {})), 'Mean'],
    [
      'a kernel of several pixels',
      layers((net) => net.convolution('wide', 'image', [3, 3, 3, 2])),
      '_FusedConv2D',
    ],
  ])('is not available for a model ending in %s', (_, network, named) => {
    expect(() => embeddingNetwork(network)).toThrow(InvalidInputError)
    expect(() => embeddingNetwork(network)).toThrow(named)
  })
})

it('an embedding model is taught directly', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'whisklens-embedding-'))
  try {
    const network = embeddingNetwork(endsInConvolution())
    await writeFiles(folder, networkFiles(network))
    await writeDescription(folder, {
      ...{ schema: 'whisklens.model/1', id: 'embedding', task: 'embedding' },
      input: { size, kernel: 'linear', mean: 127.5, std: 127.5 },
      ...{ license: 'Apache-2.0', description: 'A few nodes', source: 'A test' },
    })
    const base = (await readModelFolder(folder)) as BaseModel
    const { files } = embeddingOf(base, folder)
    const embedder = await openEmbedder(files, base.description, { engine: 'cpu', path: folder })
    const vectors = [await embedder.embed(sample('cat')), await embedder.embed(sample('coffee'))]
    embedder.dispose()
    expect(vectors.map(({ length }) => length)).toEqual([5, 5])
    expect(vectors[0]).not.toEqual(vectors[1])
    expect(outputsOf(readNetwork(files, size, folder))).toEqual(outputsOf(network))
  } finally {
    rmSync(folder, { recursive: true })
  }
})

describe('a trained head', () => {
  beforeAll(() => findEngine('wasm').start?.())

  /** Vectors clustered by label, far from the origin and of uneven lengths. */
  const examples = (labels: number, count: number) =>
    Array.from({ length: labels * count }, (_, index) => {
      const label = index % labels
      const vector = Float32Array.from({ length: 12 }, (_, at) => {
        return 40 + (at % labels === label ? 9 : 0) + 4 * Math.sin(index * 7.3 + at * at)
      })
      return { vector, label }
    })

  it('distinguishes its training labels, and similar vectors', async () => {
    const { head, heldOut } = await teach(examples(3, 20), 3, 0.2)
    expect(heldOut.examples).toHaveLength(12)
    expect(heldOut.wrong).toEqual([])
    const others = examples(3, 60).slice(60)
    expect(others.filter(({ vector, label }) => labelOf(head, vector) !== label)).toEqual([])
  })

  it('is reproducible', async () => {
    const [first, second] = [await trainHead(examples(2, 5), 2), await trainHead(examples(2, 5), 2)]
    expect(first).toEqual(second)
  })

  it('finds no label for identical vectors', async () => {
    const vector = new Float32Array(4).fill(3)
    const { kernel, bias } = await trainHead(
      [0, 1].map((label) => ({ vector, label })),
      2,
    )
    expect([...kernel, ...bias].map((value) => Math.abs(value) < 1e-3)).toEqual(Array(10).fill(true))
  })

  it('gives the same result within a network', async () => {
    const embedding = embeddingNetwork(endsInConvolution())
    const vector = await valuesOf(embedding)
    const opposite = vector.map((value) => -value)
    const head = await trainHead(
      [
        { vector: opposite, label: 0 },
        { vector, label: 1 },
      ],
      2,
    )
    const probabilities = await valuesOf(withHead(embedding, head))
    expect(probabilities).toHaveLength(2)
    expect(probabilities[1]).toBeGreaterThan(0.9)
    expect(labelOf(head, vector)).toBe(1)
  })

  it('is not tested without held-out examples', async () => {
    const { heldOut } = await teach(examples(2, 4), 2, 0)
    expect(heldOut).toEqual({ examples: [], wrong: [] })
  })
})

describe('held-out examples', () => {
  const sizes = fc.array(fc.integer({ min: 2, max: 40 }), { minLength: 2, maxLength: 5 })
  const examplesOf = (counts: number[]) =>
    counts.flatMap((count, label) => Array.from({ length: count }, (_, number) => ({ label, number })))

  it('are the share of each label, but never none and never all', () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 50 }), (counts, percent) => {
        const { held, kept } = split(examplesOf(counts), percent / 100)
        expect(new Set([...held, ...kept]).size).toBe(examplesOf(counts).length)
        for (const [label, count] of counts.entries()) {
          const own = held.filter((example) => example.label === label).length
          expect(own).toBeGreaterThanOrEqual(1)
          expect(own).toBeLessThan(count)
          expect(Math.abs(own - (count * percent) / 100)).toBeLessThanOrEqual(1)
        }
      }),
    )
  })

  it('are reproducible, and not just the first ones', () => {
    const examples = examplesOf([40, 40])
    const { held } = split(examples, 0.25)
    expect(split(examples, 0.25).held).toEqual(held)
    expect(held.map(({ number }) => number)).not.toEqual(examplesOf([10, 10]).map(({ number }) => number))
  })
})
