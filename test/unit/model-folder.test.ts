import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { InvalidInputError } from '../../src/errors'
import { modelFolderPath, readModelFolder } from '../../src/model-folder/folder'
import { modelCopy, removeModelCopies } from '../helpers/model-copy'

const original = modelFolderPath('efficientnet-lite0')
const contentOf = (name: string): Buffer => readFileSync(join(original, name))
const description = JSON.parse(contentOf('whisklens.json').toString())

afterAll(removeModelCopies)

const refusal = (folder: string): Promise<InvalidInputError> =>
  readModelFolder(folder).then(
    () => Promise.reject(new Error('was read')),
    (thrown) => thrown as InvalidInputError,
  )

describe('a model folder', () => {
  it('is found by its name in models/ and by its path', async () => {
    const byName = await readModelFolder('efficientnet-lite0')
    expect(byName.version).toMatch(/^efficientnet-lite0@[0-9a-f]{8}$/)
    expect((await readModelFolder(modelCopy())).version).toBe(byName.version)
  })

  it('of the bundled model has 1,000 classes', async () => {
    const { classes } = await readModelFolder('efficientnet-lite0')
    expect(classes).toHaveLength(1000)
    expect(classes[281]).toEqual({ wordnetId: 'n02123045', className: 'tabby, tabby cat' })
  })
})

describe('the version', () => {
  const shaping = readdirSync(original).filter((name) => name !== 'NOTICE')

  it.each(shaping)('changes when %s does', async (name) => {
    const content = Buffer.from(contentOf(name))
    // White space counts as a change, too: the hash covers bytes, not meaning.
    const changed = name.endsWith('.json') ? Buffer.concat([content, Buffer.from('\n')]) : content
    if (!name.endsWith('.json')) changed[1000] = (changed[1000] ?? 0) ^ 1
    const { version } = await readModelFolder('efficientnet-lite0')
    const after = (await readModelFolder(modelCopy({ [name]: changed }))).version
    expect(after).toMatch(/^efficientnet-lite0@[0-9a-f]{8}$/)
    expect(after).not.toBe(version)
  })

  it('changes when bytes move from one file to the next', async () => {
    const [first, second] = [contentOf('group1-shard1of3.bin'), contentOf('group1-shard2of3.bin')]
    const moved = modelCopy({
      'group1-shard1of3.bin': Buffer.concat([first, second.subarray(0, 1)]),
      'group1-shard2of3.bin': second.subarray(1),
    })
    expect((await readModelFolder(moved)).version).not.toBe((await readModelFolder(original)).version)
  })

  it('stays when a folder or pipe has the name of a file', async () => {
    const folder = modelCopy()
    mkdirSync(join(folder, 'more.json'))
    execFileSync('mkfifo', [join(folder, 'pipe.bin')])
    expect((await readModelFolder(folder)).version).toBe((await readModelFolder(original)).version)
  })

  it('stays when a file without influence on results changes', async () => {
    const noticed = modelCopy({ NOTICE: 'Thanks.', '.DS_Store': 'x' })
    expect((await readModelFolder(noticed)).version).toBe((await readModelFolder(original)).version)
  })
})

describe('an invalid model folder is refused, naming what is wrong', () => {
  it('an unknown name', async () => {
    const error = await refusal('no-such-model')
    expect(error).toBeInstanceOf(InvalidInputError)
    expect(error).toMatchObject({
      message: expect.stringContaining('no-such-model'),
      hint: expect.stringContaining('WHISKLENS_MODEL'),
    })
  })

  it('a file instead of a folder', async () => {
    expect(await refusal(join(original, 'model.json'))).toBeInstanceOf(InvalidInputError)
  })

  it.each(['whisklens.json', 'labels.json'])('%s is missing', async (name) => {
    const error = await refusal(modelCopy({ [name]: null }))
    expect(error).toBeInstanceOf(InvalidInputError)
    expect(error.message).toContain(`Expected a file ${name}`)
  })

  it.each(['whisklens.json', 'labels.json'])('%s is not JSON', async (name) => {
    const error = await refusal(modelCopy({ [name]: '{' }))
    expect(error).toBeInstanceOf(InvalidInputError)
    expect(error.message).toMatch(new RegExp(`/${name} is not JSON`))
  })

  it.each([
    ['a field is missing', { labels: undefined }, 'labels'],
    ['a field is unknown', { lables: 'labels.json' }, 'lables'],
    ['the id could not be a name', { id: '../lite0' }, 'id'],
    ['the task is unknown', { task: 'segmentation' }, 'task'],
    [
      'the square is larger than the image',
      { input: { ...description.input, size: 257 } },
      'resizeShortSide',
    ],
    [
      'the square is larger than memory',
      { input: { ...description.input, size: 1e6, resizeShortSide: 1e6 } },
      'size',
    ],
    ['the scale is by zero', { input: { ...description.input, std: 0 } }, 'std'],
  ])('whisklens.json: %s', async (_, change, named) => {
    const error = await refusal(
      modelCopy({ 'whisklens.json': JSON.stringify({ ...description, ...change }) }),
    )
    expect(error).toBeInstanceOf(InvalidInputError)
    expect(error.message).toContain('whisklens.json is not valid')
    expect(error.message).toContain(named)
  })

  it('a file with another checksum', async () => {
    const checksums = { 'group1-shard2of3.bin': '0'.repeat(64) }
    const error = await refusal(
      modelCopy({ 'whisklens.json': JSON.stringify({ ...description, checksums }) }),
    )
    expect(error).toBeInstanceOf(InvalidInputError)
    expect(error.message).toMatch(/group1-shard2of3\.bin has the wrong checksum/)
  })

  it.each(['labels.json', 'group1-shard2of3.bin'])('a link that leads nowhere: %s', async (name) => {
    const folder = modelCopy({ [name]: null })
    symlinkSync('nowhere', join(folder, name))
    const error = await refusal(folder)
    expect(error).toBeInstanceOf(InvalidInputError)
    expect(error.message).toContain(`${name} cannot be read`)
  })

  it('invalid labels', async () => {
    const error = await refusal(modelCopy({ 'labels.json': '[{"wordnetId":"tabby"}]' }))
    expect(error.message).toMatch(/labels\.json is not valid/)
  })
})
