import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { changeModel, modelCopy, removeModelCopies } from '../helpers/model-copy'
import { removeSmallNetworks, smallNetworks, unknownNetwork } from '../helpers/small-networks'
import { run, samples, temporaryFolder } from './cli-run'

const folder = temporaryFolder()
let network: string

beforeAll(() => {
  network = (smallNetworks['operations that nobody fused'] as () => string)()
  const path = join(network, 'whisklens.json')
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), logits: true }))
})
afterAll(() => {
  removeSmallNetworks()
  removeModelCopies()
})

/** Runs `whisklens model` with a test's own models folder. */
const model = (args: string[], models = 'models') =>
  run(folder.path, ['model', ...args], { WHISKLENS_MODELS: join(folder.path, models) })

const listed = async (models?: string) =>
  new Map(
    (await model(['list', '--json'], models)).lines
      .map((line) => JSON.parse(line) as { id: string; state: string })
      .map((one) => [one.id, one]),
  )

describe('whisklens model', () => {
  it('adds a folder, lists it, describes it, and classifies with it', async () => {
    const { code, stdout, stderr } = await model(['add', network, '--id', 'mine'], 'one')
    expect([code, stdout]).toEqual([0, 'mine\n'])
    expect(stderr).toMatch(/^Added mine@[0-9a-f]{8} to /)
    const models = await listed('one')
    expect(models.get('mine')).toMatchObject({ state: 'added', task: 'classification', needs: [] })
    expect(models.get('efficientnet-lite0')).toMatchObject({ state: 'box', license: 'Apache-2.0' })
    expect(models.get('mobilenet-v1-0.25')).toMatchObject({ state: 'available', bytes: 2e6 })
    expect(models.get('faces')).toMatchObject({ needs: [expect.stringMatching(/^@vladmandic\/face-api@/)] })
    const info = JSON.parse((await model(['info', 'mine', '--json'], 'one')).stdout)
    expect(info).toMatchObject({ id: 'mine', classes: 4 })
    expect(info.runsOn).toContain('wasm')
    expect(info.parameters).toBeGreaterThan(100)
    const classified = await run(
      folder.path,
      ['classify', '--json', '--model', 'mine', join(samples, 'cat.jpg')],
      {
        WHISKLENS_MODELS: join(folder.path, 'one'),
      },
    )
    expect(JSON.parse(classified.stdout)).toMatchObject({ model: info.version, labels: { length: 4 } })
    const again = await model(['add', network, '--id', 'mine', '--json'], 'one')
    expect(again.code).toBe(1)
    expect(JSON.parse(again.stderr).error).toMatchObject({ hint: 'Replace it with --force.' })
  })

  it('adds a network without a description, with options', async () => {
    const bare = join(folder.path, 'bare')
    cpSync(network, bare, { recursive: true })
    for (const name of ['whisklens.json', 'labels.json']) rmSync(join(bare, name))
    writeFileSync(join(folder.path, 'names.txt'), 'a\nb\nc\nd\n')
    const how = ['--labels', 'names.txt', '--range', '-1,1', '--license', 'MIT', '--logits']
    const { code, stdout } = await model(['add', './bare', ...how, '--json'], 'two')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      id: 'bare',
      task: 'classification',
      license: 'MIT',
      classes: 4,
    })
    const raw = await model(['add', './bare', ...how.slice(0, -1), '--id', 'raw'], 'two')
    expect([raw.code, raw.stderr]).toEqual([
      1,
      expect.stringMatching(/not probabilities.*\nhint: .*--logits/),
    ])
    writeFileSync(join(folder.path, 'names.txt'), 'a\nb\nc\n')
    const wrong = await model(['add', './bare', ...how, '--id', 'wrong'], 'two')
    expect(wrong.code).toBe(1)
    expect(wrong.stderr).toContain('labels.json names 3 classes, but there are 4')
    expect(readdirSync(join(folder.path, 'two'))).toEqual(['bare'])
    const both = await model(['add', network, ...how], 'two')
    expect(both.stderr).toMatch(/has a whisklens\.json: remove --labels, --range, --logits, --license/)
  })

  it('refuses invalid input with a hint', async () => {
    for (const [args, code, said] of [
      [['add', 'nonsense'], 1, 'no model "nonsense" in the catalogue'],
      [['add', network, '--from', network], 1, 'remove --from'],
      [['add', './nonsense'], 1, 'There is no file or folder'],
      [['add', samples], 1, 'Expected a file model.json'],
      [['add', 'nsfw', '--id', 'other'], 1, 'The catalogue describes "nsfw"'],
      [['add', network, '--sha256', 'abc'], 2, '64 hexadecimal digits'],
      [['add', network, '--range', '1,0'], 2, 'Expected two numbers'],
      [['info', 'mobilenet-v1-0.25'], 1, 'whisklens model add mobilenet-v1-0.25'],
      [['info', 'nonsense'], 1, 'There is no model "nonsense"'],
      [['verify', 'nonsense'], 1, 'There is no model "nonsense"'],
      [['convert', 'nonsense', 'out'], 1, 'There is no file or folder nonsense'],
      [['convert', samples, 'out'], 1, 'cannot be converted'],
      [['convert'], 1, 'Expected an input and an output folder'],
    ] as const) {
      const done = await model([...args], 'three')
      expect([done.code, done.stdout]).toEqual([code, ''])
      expect(done.stderr).toContain(said)
    }
    expect(readdirSync(join(folder.path, 'three'))).toEqual([])
  })

  it('says how to continue if a model cannot be downloaded', async () => {
    const { code, stderr } = await run(folder.path, ['model', 'add', 'mobilenet-v1-0.25'], {
      WHISKLENS_MODELS: join(folder.path, 'four'),
      // Nothing listens on this port.
      ...{ HTTPS_PROXY: 'http://127.0.0.1:9', https_proxy: 'http://127.0.0.1:9' },
      ...{ NO_PROXY: '', no_proxy: '' },
      XDG_CACHE_HOME: join(folder.path, 'cache'),
    })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^Fetching https:.*\nerror: Could not download https:.*\nhint: .*--from\.\n$/)
    expect(readdirSync(join(folder.path, 'four'))).toEqual([])
  })
})

describe('whisklens model remove', () => {
  const folders = () => readdirSync(join(folder.path, 'removing'))

  it('deletes an added model completely, and prints its folder', async () => {
    await model(['add', network, '--id', 'mine'], 'removing')
    await model(['add', network, '--id', 'other'], 'removing')
    const { code, stdout, stderr } = await model(['remove', 'mine'], 'removing')
    expect([code, stdout]).toEqual([0, 'mine\n'])
    expect(stderr).toBe(`Removed ${join(folder.path, 'removing', 'mine')}\n`)
    expect(folders()).toEqual(['other'])
    const again = await model(['remove', 'mine', '--json'], 'removing')
    expect([again.code, again.stdout]).toEqual([1, ''])
    expect(JSON.parse(again.stderr).error).toMatchObject({ code: 'model_not_found' })
  })

  it('deletes a damaged one, and of a link only the link', async () => {
    const removing = join(folder.path, 'removing')
    mkdirSync(join(removing, 'broken'), { recursive: true })
    symlinkSync(network, join(removing, 'linked'))
    for (const name of ['broken', 'linked']) expect((await model(['remove', name], 'removing')).code).toBe(0)
    expect(folders()).not.toContain('linked')
    expect(folders()).not.toContain('broken')
    expect(existsSync(join(network, 'model.json'))).toBe(true)
  })

  it('accepts no path, and no bundled model, but one that hides it', async () => {
    mkdirSync(join(folder.path, 'beside'), { recursive: true })
    for (const name of ['../beside', '..', '.', join(folder.path, 'beside'), 'efficientnet-lite0']) {
      const { code, stderr } = await model(['remove', name], 'removing')
      expect([code, stderr]).toEqual([1, expect.stringMatching(/^error: .+\nhint: .+\n$/)])
    }
    expect(existsSync(join(folder.path, 'beside'))).toBe(true)
    mkdirSync(join(folder.path, 'removing', 'efficientnet-lite0'))
    const { code, stderr } = await model(['remove', 'efficientnet-lite0'], 'removing')
    expect([code, stderr]).toEqual([0, expect.stringContaining('is the bundled model again')])
    expect((await model(['info', 'efficientnet-lite0'], 'removing')).code).toBe(0)
  })
})

interface Check {
  name: string
  state: string
  detail: string
}

const verify = async (path: string) => {
  const { code, lines } = await model(['verify', path, '--json'])
  const checks = lines.map((line) => JSON.parse(line) as Check)
  return { code, checks, failed: checks.filter(({ state }) => state === 'failed') }
}

describe('whisklens model verify', () => {
  it('finds the bundled model valid, and its engines in agreement', async () => {
    const { code, checks, failed } = await verify('efficientnet-lite0')
    expect([code, failed]).toEqual([0, []])
    expect(checks.map(({ name }) => name)).toEqual([
      ...['description', 'checksums', 'classes', 'network'],
      ...['engine wasm', 'engine onnx', 'engine tfjs-node', 'engine cpu'],
    ])
    expect(checks.find(({ name }) => name === 'engine cpu')?.detail).toMatch(
      /differ from those of wasm by up to/,
    )
  })

  it.each([
    ['a description', { 'whisklens.json': '{}' }, 'description', 'whisklens.json is not valid'],
    ['a shard that is missing', { 'group1-shard2of3.bin': null }, 'network', 'group1-shard2of3.bin'],
    [
      'a shard that is cut off',
      { 'group1-shard3of3.bin': Buffer.alloc(9) },
      'network',
      'The weights end within',
    ],
    ['classes', { 'labels.json': '[{"className":"all"}]' }, 'engine wasm', 'labels.json names 1 classes'],
  ])('reports %s', async (_, changes: Record<string, Buffer | string | null>, name, named) => {
    const { code, failed } = await verify(modelCopy(changes))
    expect(code).toBe(1)
    expect(failed.find((check) => check.name === name)?.detail).toContain(named)
  })

  it('reports a file with another checksum', async () => {
    await model(['add', modelCopy(), '--id', 'changed'])
    const added = join(folder.path, 'models', 'changed')
    changeModel(added, { 'labels.json': `${readFileSync(join(added, 'labels.json'))}\n` })
    const { code, failed } = await verify('changed')
    expect(code).toBe(1)
    expect(failed[0]).toMatchObject({ name: 'checksums', detail: expect.stringContaining('labels.json') })
  })

  it('reports an operation that no engine supports', async () => {
    const { code, failed } = await verify(unknownNetwork())
    expect(code).toBe(1)
    expect(failed[0]).toMatchObject({ name: 'engine wasm', detail: expect.stringContaining('Divine') })
  })
})

describe('whisklens model convert', () => {
  it('folds and fuses a graph, and keeps its labels and description', async () => {
    const { code, stdout } = await model(['convert', network, 'fused'])
    expect([code, stdout]).toEqual([0, 'fused\n'])
    const operations = (path: string): string[] =>
      JSON.parse(readFileSync(join(path, 'model.json'), 'utf8')).modelTopology.node.map(
        ({ op }: { op: string }) => op,
      )
    const fused = join(folder.path, 'fused')
    expect(operations(network)).toContain('Conv2D')
    expect(operations(fused)).not.toContain('Conv2D')
    const [before, after] = await Promise.all(
      [network, fused].map(async (path) => {
        const { stdout } = await run(folder.path, [
          'classify',
          '--json',
          '--model',
          path,
          join(samples, 'cat.jpg'),
        ])
        return JSON.parse(stdout).labels as { label: string; probability: number }[]
      }),
    )
    expect(after?.map(({ label }) => label)).toEqual(before?.map(({ label }) => label))
    for (const [index, { probability }] of (before ?? []).entries())
      expect(after?.[index]?.probability).toBeCloseTo(probability, 4)
    const again = await model(['convert', network, 'fused'])
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('Replace it with --force')])
    writeFileSync(join(folder.path, 'precious'), 'mine')
    const elsewhere = await model(['convert', network, '.', '--force'])
    expect([elsewhere.code, elsewhere.stderr]).toEqual([1, expect.stringContaining('is not replaced')])
    expect(existsSync(join(folder.path, 'precious'))).toBe(true)
    writeFileSync(join(folder.path, 'fused', 'thesis.docx'), 'mine')
    const beside = await model(['convert', network, 'fused', '--force'])
    expect([beside.code, beside.stderr]).toEqual([1, expect.stringContaining('thesis.docx')])
    expect(existsSync(join(folder.path, 'fused', 'thesis.docx'))).toBe(true)
    expect(readdirSync(folder.path).filter((name) => name.includes('tmp'))).toEqual([])
  })

  it('says how to get the converter that reads Keras’', async () => {
    writeFileSync(join(folder.path, 'flowers.keras'), 'a zip')
    const { code, stderr } = await run(folder.path, ['model', 'convert', 'flowers.keras', 'flowers'], {
      WHISKLENS_CONVERTER: join(folder.path, 'nothing'),
    })
    expect(code).toBe(1)
    expect(stderr).toContain('hint: Install it once: whisklens model convert --install')
    expect(existsSync(join(folder.path, 'flowers'))).toBe(false)
  })
})
