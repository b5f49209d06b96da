import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { readModelFolder } from '../../src/model-folder/folder'
import { writeDescription } from '../../src/models/describe'
import { integers, NetworkBuilder, ofFloats, text } from '../../src/network/builder'
import type { Network } from '../../src/network/graph'
import { optimizeNetwork } from '../../src/network/optimize'
import { readNetwork } from '../../src/network/read'
import { networkFiles, writeFiles } from '../../src/network/write'
import { randomNumbers } from '../../src/random-numbers'
import { loadNetwork } from '../helpers/network'

const size = 6

/** A network under construction, in which each node is the input of the next. */
class Chain {
  readonly graph = new NetworkBuilder()
  last = this.graph.input('image', [size, size, 3])
  channels = 3
  readonly #random = randomNumbers(11)

  values(length: number): Float32Array {
    return Float32Array.from({ length }, () => this.#random() * 1.6 - 0.8)
  }

  add(op: string, others: string[] = [], attr: object = {}): this {
    this.last = this.graph.add(op, op, [this.last, ...others], { ...ofFloats, ...attr })
    return this
  }

  vector(name: string, values = this.values(this.channels)): string {
    return this.graph.constant(name, [this.channels], values)
  }

  convolution(op: 'Conv2D' | 'DepthwiseConv2dNative', more: object = {}): this {
    const [shape, channels] =
      op === 'Conv2D' ? [[3, 3, this.channels, 4], 4] : [[3, 3, this.channels, 1], this.channels]
    const kernel = this.graph.constant(`${op}/kernel`, shape, this.values(shape.reduce((a, b) => a * b)))
    this.channels = channels
    const ones = integers([1, 1, 1, 1])
    const attr = { strides: ones, dilations: ones, padding: text('SAME'), data_format: text('NHWC') }
    return this.add(op, [kernel], { ...attr, ...more })
  }

  batchNorm(more: object = {}): this {
    const variance = this.values(this.channels).map((value) => Math.abs(value) + 0.2)
    const others = ['gamma', 'beta', 'mean'].map((name) => this.vector(name))
    others.push(this.vector('variance', variance))
    const attr = { U: { type: 'DT_FLOAT' }, epsilon: { f: 0.001 }, is_training: { b: false } }
    return this.add('FusedBatchNormV3', others, { ...attr, data_format: text('NHWC'), ...more })
  }

  end(): Network {
    return this.graph.network(size, this.last, [size, size, this.channels])
  }
}

const steps: Record<string, (chain: Chain) => Chain> = {
  convolution: (chain) => chain.convolution('Conv2D'),
  depthwise: (chain) => chain.convolution('DepthwiseConv2dNative'),
  batchNorm: (chain) => chain.batchNorm(),
  bias: (chain) => chain.add('BiasAdd', [chain.vector('bias')]),
  sum: (chain) => chain.add('AddV2', [chain.vector('term')]),
  product: (chain) => chain.add('Mul', [chain.vector('factor')]),
  relu: (chain) => chain.add('Relu'),
  relu6: (chain) => chain.add('Relu6'),
  tanh: (chain) => chain.add('Tanh'),
}

async function valuesOf(network: Network): Promise<number[]> {
  const predictor = await loadNetwork('cpu', network)
  const image = Float32Array.from({ length: size * size * 3 }, (_, index) => Math.sin(index * index))
  const [values = new Float32Array()] = await predictor.predict(image)
  predictor.dispose()
  return Array.from(values)
}

async function expectSame(network: Network): Promise<void> {
  const [values, others] = [await valuesOf(network), await valuesOf(optimizeNetwork(network))]
  expect(others).toHaveLength(values.length)
  const largest = Math.max(1, ...values.map(Math.abs))
  const furthest = Math.max(...values.map((value, index) => Math.abs(value - (others[index] ?? Number.NaN))))
  expect(furthest / largest).toBeLessThan(1e-5)
}

const operations = (network: Network): string[] =>
  optimizeNetwork(network)
    .topology.node.map(({ op }) => op)
    .filter((op) => op !== 'Const' && op !== 'Placeholder')

describe('an optimized network', () => {
  it('gives the same values, in any combination of operations', async () => {
    const names = fc.array(fc.constantFrom(...Object.keys(steps)), { minLength: 1, maxLength: 7 })
    await fc.assert(
      fc.asyncProperty(names, async (chosen) => {
        const chain = new Chain()
        for (const name of chosen) steps[name]?.(chain)
        await expectSame(chain.end())
      }),
      { numRuns: 150 },
    )
  })

  it('has batch norm, bias and activation merged into the preceding convolution', () => {
    const chain = new Chain()
      .convolution('Conv2D')
      .batchNorm()
      .add('Relu6')
      .convolution('DepthwiseConv2dNative')
    const network = chain
      .add('BiasAdd', [chain.vector('bias')])
      .batchNorm()
      .add('Relu')
      .end()
    expect(operations(network)).toEqual(['_FusedConv2D', 'FusedDepthwiseConv2dNative'])
  })

  it('merges them in any node order', async () => {
    const network = new Chain().convolution('Conv2D').batchNorm().add('Relu6').end()
    const reversed = {
      ...network,
      topology: { ...network.topology, node: network.topology.node.toReversed() },
    }
    expect(operations(reversed)).toEqual(['_FusedConv2D'])
    await expectSame(reversed)
  })

  it('keeps nodes with other readers', async () => {
    const chain = new Chain().convolution('Conv2D')
    const plain = chain.last
    const network = chain.batchNorm().add('AddV2', [plain]).end()
    expect(operations(network).sort()).toEqual(['AddV2', 'Conv2D', 'FusedBatchNormV3'])
    await expectSame(network)
  })

  it('keeps operations that are not per channel', async () => {
    const chain = new Chain().convolution('Conv2D')
    const scalar = chain.graph.constant('scalar', [], Float32Array.of(0.5))
    const network = chain.add('Mul', [scalar]).end()
    expect(operations(network)).toEqual(['Conv2D', 'Mul'])
    await expectSame(network)
  })

  it('keeps a batch norm in training mode', () => {
    const network = new Chain()
      .convolution('Conv2D')
      .batchNorm({ is_training: { b: true } })
      .end()
    expect(operations(network)).toContain('FusedBatchNormV3')
  })

  it('keeps the names of its outputs, and drops unused nodes', () => {
    const chain = new Chain().convolution('Conv2D').batchNorm()
    const end = chain.last
    chain.add('Relu')
    chain.last = end
    const optimized = optimizeNetwork(chain.end())
    expect(optimized.signature?.outputs[end]?.name).toBe(`${end}:0`)
    expect(optimized.topology.node.map(({ name }) => name)).toContain(end)
    expect(optimized.weightSpecs).toHaveLength(2)
  })

  it('without anything to fuse is unchanged', async () => {
    const network = readNetwork((await readModelFolder('efficientnet-lite0')).files, 224, '')
    const { topology, weightSpecs, weights } = optimizeNetwork(network)
    expect(topology).toEqual(network.topology)
    expect(Buffer.from(weights).equals(Buffer.from(network.weights))).toBe(true)
    expect(weightSpecs).toEqual(network.weightSpecs)
  })
})

it('is read back as written', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'whisklens-written-'))
  try {
    const chain = new Chain().convolution('Conv2D')
    // Larger than a shard.
    const large = chain.graph.constant('large', [4, 300_000], chain.values(1_200_000))
    const network = chain
      .add('MatMul', [large], { transpose_a: { b: false }, transpose_b: { b: false } })
      .end()
    await writeFiles(folder, networkFiles(network))
    await writeDescription(folder, {
      ...{ schema: 'whisklens.model/1', id: 'written', task: 'embedding' },
      input: { size, kernel: 'linear', mean: 0, std: 1 },
      ...{ license: 'Apache-2.0', description: 'A few nodes', source: 'A test' },
    })
    const { files } = await readModelFolder(folder)
    const { weights, ...rest } = readNetwork(files, size, folder)
    expect({ ...network, weights: undefined }).toEqual({ ...rest, weights: undefined })
    expect(Buffer.from(weights).equals(Buffer.from(network.weights))).toBe(true)
    const shards = readdirSync(folder).filter((name) => name.endsWith('.bin'))
    expect(shards).toEqual(['group1-shard1of2.bin', 'group1-shard2of2.bin'])
    expect(files.get('group1-shard1of2.bin')).toHaveLength(4 * 1024 * 1024)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
