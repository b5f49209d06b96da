import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { preprocessor } from '../../src/classifier/preprocess'
import { readModelFolder, userModelsFolder } from '../../src/model-folder/folder'
import { addModel, copyFiles } from '../../src/models/add'
import { readDescription } from '../../src/models/copy'
import { type Description, parseClasses, scaleOf } from '../../src/models/describe'
import { type ImportOptions, importNetwork } from '../../src/models/import'
import { installedModels } from '../../src/models/installed'
import { collectNetwork, digestOf, readerOf, sideOf } from '../../src/models/network-files'
import { sha256Of } from '../../src/sha256'
import { removeSmallLayers, type SmallLayers, smallLayers, writeLayers } from '../helpers/small-layers'
import { removeSmallNetworks, smallNetworks } from '../helpers/small-networks'

let folder: string
let source: string
const saved = { ...process.env }

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whisklens-add-'))
  process.env.WHISKLENS_MODELS = join(folder, 'models')
  source = (Object.values(smallNetworks)[0] as () => string)()
})
afterEach(async () => {
  process.env = { ...saved }
  await rm(folder, { recursive: true })
})
afterAll(removeSmallNetworks)
afterAll(removeSmallLayers)

const description = (): Description => JSON.parse(readFileSync(join(source, 'whisklens.json'), 'utf8'))
const warmUp = async (): Promise<void> => {}
const copy = async (to: string): Promise<Description> => {
  await copyFiles(source, to)
  return description()
}
const names = () => (existsSync(userModelsFolder()) ? readdirSync(userModelsFolder()) : [])

describe('an added model', () => {
  it('is found by its name, with a checksum for each file', async () => {
    const added = await addModel('mine', copy, { warmUp })
    expect(added).toBe(join(folder, 'models', 'mine'))
    const { description, version } = await readModelFolder('mine')
    expect(version).toMatch(/^mine@/)
    expect(Object.keys(description.checksums ?? {}).sort()).toEqual([
      'group1-shard1of1.bin',
      'labels.json',
      'model.json',
      'model.onnx',
      'saved_model.pb',
    ])
    expect(description.checksums?.['labels.json']).toBe(sha256Of(readFileSync(join(source, 'labels.json'))))
  })

  it('of layers is compiled for the engines, with the same result when added again', async () => {
    const layers = writeLayers(
      (smallLayers['batch norm and relu6 after convolutions'] as () => SmallLayers)(),
    )
    const write = (from: string) => async (to: string) => {
      await copyFiles(from, to)
      return readDescription(from)
    }
    const added = await addModel('layers', write(layers), { warmUp })
    const made = ['model.json', 'model.onnx', 'saved_model.pb']
    const names = ['group1-shard1of1.bin', 'labels.json', ...made, 'whisklens.json']
    expect(readdirSync(added).sort()).toEqual(names)
    const { modelTopology } = JSON.parse(readFileSync(join(added, 'model.json'), 'utf8'))
    expect(modelTopology.node.map(({ op }: { op: string }) => op)).toContain('_FusedConv2D')
    const again = await addModel('again', write(added), { warmUp })
    for (const name of names.slice(0, -1))
      expect(readFileSync(join(again, name)).equals(readFileSync(join(added, name)))).toBe(true)
  })

  it('is tested before it is added, and not added if it fails', async () => {
    const failing = addModel('mine', copy, {
      warmUp: async (fresh) => {
        expect((await readModelFolder(fresh)).description.id).toBe('mine')
        expect((await installedModels()).map(({ name }) => name)).not.toContain('mine')
        throw new Error('sees nothing')
      },
    })
    await expect(failing).rejects.toThrow('sees nothing')
    expect(names()).toEqual([])
  })

  it('leaves nothing behind if its files cannot be fetched', async () => {
    const write = async (to: string): Promise<never> => {
      writeFileSync(join(to, 'model.json'), '{}')
      throw new Error('the line is cut')
    }
    await expect(addModel('mine', write, { warmUp })).rejects.toThrow('the line is cut')
    expect(names()).toEqual([])
  })

  it('does not replace another without --force', async () => {
    await addModel('mine', copy, { warmUp })
    const before = (await readModelFolder('mine')).version
    const changed = async (to: string) => ({ ...(await copy(to)), license: 'MIT' })
    await expect(addModel('mine', changed, { warmUp })).rejects.toMatchObject({
      code: 'already_exists',
      message: expect.stringContaining('The model "mine" already exists'),
      hint: expect.stringContaining('--force'),
    })
    expect((await readModelFolder('mine')).version).toBe(before)
    await addModel('mine', changed, { warmUp, force: true })
    expect((await readModelFolder('mine')).description.license).toBe('MIT')
    expect(names()).toEqual(['mine'])
  })

  it('stays if its replacement does not work', async () => {
    await addModel('mine', copy, { warmUp })
    const broken = addModel('mine', copy, { force: true, warmUp: () => Promise.reject(new Error('no')) })
    await expect(broken).rejects.toThrow('no')
    expect((await readModelFolder('mine')).version).toMatch(/^mine@/)
    expect(names()).toEqual(['mine'])
  })

  it('has the required checksum, or is refused', async () => {
    const digest = digestOf(await collectNetwork(readerOf(source)))
    await addModel('mine', copy, { warmUp, sha256: digest })
    await expect(addModel('other', copy, { warmUp, sha256: '0'.repeat(64) })).rejects.toMatchObject({
      code: 'wrong_checksum',
      message: expect.stringContaining(digest),
    })
    expect(names()).toEqual(['mine'])
  })

  it.each(['../mine', 'Mine', '', '.mine', 'mi ne'])('cannot be called "%s"', async (id) => {
    await expect(addModel(id, copy, { warmUp })).rejects.toThrow('Not a name for a model')
    expect(names()).toEqual([])
  })

  it('is described correctly, or refused with the field', async () => {
    const write = async (to: string) => ({ ...(await copy(to)), task: 'guessing' }) as never
    await expect(addModel('mine', write, { warmUp })).rejects.toThrow(
      /description of the model is not valid.*task/s,
    )
  })

  it('takes precedence over a bundled one of the same name', async () => {
    await addModel('efficientnet-lite0', copy, { warmUp })
    expect((await readModelFolder('efficientnet-lite0')).classes).toHaveLength(8)
    const installed = await installedModels()
    expect(installed.filter(({ name }) => name === 'efficientnet-lite0')).toMatchObject([{ origin: 'added' }])
  })

  it('is listed with its problem', async () => {
    const added = await addModel('mine', copy, { warmUp })
    writeFileSync(join(added, 'labels.json'), '[]')
    const mine = (await installedModels()).find(({ name }) => name === 'mine')
    expect(mine?.problem).toMatch(/labels\.json has the wrong checksum/)
  })
})

describe('a network without whisklens.json', () => {
  const options: ImportOptions = {
    id: 'mine',
    task: 'classification',
    kernel: 'linear',
    longestSide: 640,
    license: 'MIT',
    range: [-1, 1],
  }
  let to: string
  beforeEach(() => {
    to = join(folder, 'to')
    mkdirSync(to)
    options.labels = join(folder, 'names.txt')
    writeFileSync(options.labels, 'a\nb\r\nc\n\nd\ne\nf\ng\nh\n')
  })

  it('is described by options, and by its own metadata', async () => {
    expect(await importNetwork(source, to, options)).toMatchObject({
      id: 'mine',
      input: { size: 16, kernel: 'linear', mean: 127.5, std: 127.5 },
      license: 'MIT',
    })
    expect(JSON.parse(readFileSync(join(to, 'labels.json'), 'utf8'))).toHaveLength(8)
    expect(readdirSync(to).sort()).toEqual(['group1-shard1of1.bin', 'labels.json', 'model.json'])
  })

  it.each([
    ['its labels', { labels: undefined }, '--labels'],
    ['its range', { range: undefined }, '--range'],
    ['one of mean and std', { range: undefined, mean: 127 }, '--std'],
  ])('requires %s', async (_, change, named) => {
    await expect(importNetwork(source, to, { ...options, ...change })).rejects.toMatchObject({
      hint: expect.stringContaining(named),
    })
  })

  it('requires its size if it does not state it', async () => {
    const model = JSON.parse(readFileSync(join(source, 'model.json'), 'utf8'))
    model.modelTopology.node[0].attr.shape.shape.dim[1].size = '-1'
    writeFileSync(join(source, 'model.json'), JSON.stringify(model))
    await expect(importNetwork(source, to, options)).rejects.toMatchObject({
      hint: expect.stringContaining('--size'),
    })
    expect(await importNetwork(source, to, { ...options, size: 20 })).toMatchObject({ input: { size: 20 } })
  })

  it.each([
    [['../../secret'], 'name of a file'],
    [['/etc/passwd'], 'name of a file'],
    [['group1-shard9of9'], 'Expected a file group1-shard9of9'],
  ])('accepts no weights from %s', async (paths, named) => {
    const model = JSON.parse(readFileSync(join(source, 'model.json'), 'utf8'))
    model.weightsManifest[0].paths = paths
    writeFileSync(join(source, 'model.json'), JSON.stringify(model))
    await expect(importNetwork(source, to, options)).rejects.toThrow(named)
  })

  it.each([
    ['layers of Keras 2', { config: { layers: [{ config: { batch_input_shape: [null, 24, 24, 3] } }] } }],
    ['a sequence of Keras 2', { config: [{ config: { batch_input_shape: [null, 24, 24, 3] } }] }],
    ['layers of Keras 3', { config: { layers: [{ config: { batch_shape: [null, 24, 24, 3] } }] } }],
  ])('states its size: %s', (_, model_config) => {
    const model = Buffer.from(JSON.stringify({ modelTopology: { model_config }, weightsManifest: [] }))
    expect(sideOf({ format: 'layers-model', files: new Map([['model.json', model]]) })).toBe(24)
  })
})

describe('options for classes and pixels', () => {
  const names = fc.array(
    fc
      .string({ minLength: 1 })
      .map((name) => name.trim())
      .filter((name) => /^[^\r\n[]+$/.test(name)),
    { minLength: 1 },
  )

  it('a list of names may be lines or JSON', () => {
    fc.assert(
      fc.property(names, (list) => {
        const expected = list.map((className) => ({ className }))
        expect(parseClasses(list.join('\r\n'), 'names.txt')).toEqual(expected)
        expect(parseClasses(JSON.stringify(list), 'names.json')).toEqual(expected)
        expect(parseClasses(JSON.stringify(expected), 'labels.json')).toEqual(expected)
      }),
    )
  })

  it.each(['', '\n \n', '[]', '[1, 2]', '[""]', '["a"', '[{"name": "a"}]'])('%j is refused', (text) => {
    expect(() => parseClasses(text, 'names.txt')).toThrow('names.txt')
  })

  it('a range maps the smallest and the largest pixel value', () => {
    fc.assert(
      fc.property(fc.integer({ min: -300, max: 299 }), fc.integer({ min: 1, max: 600 }), (least, width) => {
        const image = { pixels: Uint8Array.of(0, 255, 0), rows: 1, columns: 1 } as never
        const scale = { size: 1, kernel: 'linear' as const, ...scaleOf([least, least + width]) }
        const [low = 0, high = 0] = preprocessor(scale)(image)
        expect(low).toBeCloseTo(least, 2)
        expect(high).toBeCloseTo(least + width, 2)
      }),
    )
  })
})
