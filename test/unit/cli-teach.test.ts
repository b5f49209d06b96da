import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findEngine } from '../../src/classifier/engines'
import { engineNames } from '../../src/classifier/engines/names'
import { tfjsNodeFolder } from '../../src/classifier/engines/tensorflow'
import { labelledPhotos, variant } from '../helpers/labelled-photos'
import { needs } from '../helpers/needs'
import { run as runIn, temporaryFolder } from './cli-run'

const folder = temporaryFolder()
const run = (args: string[], env: NodeJS.ProcessEnv = {}) => runIn(folder.path, args, env)

const at = (...names: string[]): string => join(folder.path, ...names)

/** Creates a folder with the given files; its photos are variants of a sample. */
async function layout(name: string, files: string[]): Promise<string> {
  mkdirSync(at(name))
  for (const [number, file] of files.entries()) {
    mkdirSync(at(name, file, '..'), { recursive: true })
    const bytes = file.endsWith('.jpg') ? await variant('cat', number) : 'a note'
    writeFileSync(at(name, file), bytes)
  }
  return at(name)
}

describe('two folders of photos', () => {
  const names = ['cat', 'coffee']
  const added = () => at('.local', 'share', 'whisklens', 'models', 'my-pets')
  let stdout: string

  beforeAll(async () => {
    await labelledPhotos(at('My pets'), names, 20)
    const taught = await run(['teach', 'My pets', '--quiet'])
    expect({ code: taught.code, stderr: taught.stderr }).toEqual({ code: 0, stderr: '' })
    stdout = taught.stdout
  }, 300_000)

  it('are distinguished: 95 % and more of the held-out photos', () => {
    expect(stdout).toMatch(/cat +20\ncoffee +20\n/)
    const [, right, tested] = /Held out: (\d+) of (\d+) right/.exec(stdout) ?? []
    expect(Number(tested)).toBe(8)
    expect(Number(right) / Number(tested)).toBeGreaterThanOrEqual(0.95)
  })

  it('become a model of the user, named after the folder, like any other classifier', () => {
    const files = readdirSync(added()).sort()
    expect(files).toEqual(expect.arrayContaining(['labels.json', 'model.json', 'whisklens.json']))
    const description = JSON.parse(readFileSync(join(added(), 'whisklens.json'), 'utf8'))
    expect(description).toMatchObject({ id: 'my-pets', task: 'classification' })
    // The preprocessing of the base model.
    expect(description.input).toEqual({
      size: 224,
      resizeShortSide: 256,
      kernel: 'cubic',
      mean: 127,
      std: 128,
    })
    expect(description.source).toMatch(/^whisklens teach, on efficientnet-lite0@[0-9a-f]{8}$/)
    expect(JSON.parse(readFileSync(join(added(), 'labels.json'), 'utf8'))).toEqual([
      { className: 'cat' },
      { className: 'coffee' },
    ])
  })

  describe.each(engineNames)('with the engine %s', (engine) => {
    needs(findEngine(engine).missing()).it('are labelled right, if new', async () => {
      for (const name of names) writeFileSync(at(`${name}-new.jpg`), await variant(name, 31))
      const images = names.map((name) => `${name}-new.jpg`)
      // Resolve engines from the same folders as this process.
      const env = { NODE_PATH: process.env.NODE_PATH, WHISKLENS_TFJS_NODE: tfjsNodeFolder() }
      const args = ['--engine', engine, '--model', 'my-pets', '--json', '--quiet']
      const { code, lines, stderr } = await run(['classify', ...args, ...images], env)
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      const records = lines.map((line) => JSON.parse(line))
      expect(records.map(({ labels }) => labels[0].label)).toEqual(names)
      for (const { labels, model } of records) {
        expect(labels).toHaveLength(2)
        expect(labels[0]).toMatchObject({ wordnetId: '' })
        expect(labels[0].probability).toBeGreaterThan(0.8)
        expect(model).toMatch(/^my-pets@/)
      }
    })
  })

  it('do not replace an existing model without --force', async () => {
    const before = readFileSync(join(added(), 'whisklens.json'))
    const refused = await run(['teach', 'My pets'])
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('--force')
    expect(readFileSync(join(added(), 'whisklens.json'))).toEqual(before)
    const forced = await run(['teach', 'My pets', '--force', '--json', '--quiet', '--holdout', '0%'])
    expect(forced.code).toBe(0)
    expect(JSON.parse(forced.stdout)).toMatchObject({
      model: 'my-pets',
      folder: added(),
      labels: names.map((label) => ({ label, images: 20 })),
      heldOut: { images: 0, accuracy: null, wrong: [] },
    })
    // The model is reproducible, and does not depend on --holdout.
    expect(readFileSync(join(added(), 'whisklens.json'))).toEqual(before)
  }, 300_000)

  it('can be taught on a taught model', async () => {
    cpSync(at('My pets'), at('again'), { recursive: true })
    const { code, stderr } = await run([
      'teach',
      'again',
      '--model',
      'my-pets',
      '--out',
      'built/again',
      '--quiet',
    ])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { source } = JSON.parse(readFileSync(at('built', 'again', 'whisklens.json'), 'utf8'))
    expect(source).toMatch(/on my-pets@/)
  }, 300_000)
})

describe('unreadable photos, and images without a label', () => {
  it('are skipped and listed', async () => {
    await labelledPhotos(at('some'), ['cat', 'coffee'], 3)
    writeFileSync(at('some', 'cat', 'broken.jpg'), 'not a photo')
    writeFileSync(at('some', 'beside.jpg'), await variant('cat', 1))
    writeFileSync(at('some', 'notes.txt'), 'not counted')
    const { code, stdout, stderr } = await run(['teach', 'some', '--out', 'some-model', '--json'])
    expect(code).toBe(3)
    const { labels, unreadable, beside } = JSON.parse(stdout)
    expect(labels).toEqual([
      { label: 'cat', images: 3 },
      { label: 'coffee', images: 3 },
    ])
    expect(unreadable).toEqual([
      {
        file: join('some', 'cat', 'broken.jpg'),
        error: { code: 'image_unsupported', message: expect.any(String), hint: expect.any(String) },
      },
    ])
    expect(beside).toEqual(['beside.jpg'])
    expect(stderr).toContain('broken.jpg')
    expect(stderr).toContain('beside.jpg')
    expect(stderr).toContain('Only 2 photos were held out')
  }, 300_000)
})

describe('invalid training data is refused with a hint', () => {
  async function expectRefused(args: string[], ...words: string[]): Promise<void> {
    const { code, stdout, stderr } = await run(['teach', ...args])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    for (const word of words) expect(stderr).toContain(word)
  }

  it('with its own code', async () => {
    await layout('alone', ['cat/1.jpg'])
    const { stderr } = await run(['teach', 'alone', '--json'])
    expect(JSON.parse(stderr).error.code).toBe('bad_examples')
  })

  beforeAll(() => layout('two', ['cat/1.jpg', 'dog/2.jpg']))

  it('a missing folder', () => expectRefused(['nowhere'], 'nowhere'))

  it('a file', async () => {
    writeFileSync(at('file.jpg'), '')
    await expectRefused(['file.jpg'], 'file.jpg is a file', 'a folder of photos per label')
  })

  it('photos without folders', async () => {
    await layout('flat', ['1.jpg', '2.jpg'])
    await expectRefused(
      ['flat'],
      'flat has no label folders',
      '2 images without a label',
      'a folder of photos per label',
    )
  })

  it('one label', async () => {
    await layout('single', ['cat/1.jpg', 'cat/2.jpg'])
    await expectRefused(['single'], 'found only "cat"')
  })

  it('a folder without photos', async () => {
    await layout('empty', ['cat/1.jpg', 'dog/readme.txt'])
    await expectRefused(['empty'], 'No images for "dog"')
  })

  it('one photo of a label', async () => {
    await layout('few', ['cat/1.jpg', 'cat/2.jpg', 'dog/1.jpg'])
    await expectRefused(['few'], 'Fewer than two readable photos', '"dog"')
    expect(existsSync(at('.local', 'share', 'whisklens', 'models', 'few'))).toBe(false)
  })

  it('into a folder that is not a model', async () => {
    await layout('precious', ['letters.txt'])
    await expectRefused(['two', '--out', 'precious', '--force'], 'is not a model folder')
    expect(readdirSync(at('precious'))).toEqual(['letters.txt'])
  })

  it('on a missing model', () => expectRefused(['two', '--model', 'ghost'], 'no model "ghost"'))

  it('on a detection model', async () => {
    const description = {
      ...{ schema: 'whisklens.model/1', id: 'finder', task: 'detection' },
      input: { longestSide: 300, kernel: 'linear' },
      ...{ labels: 'labels.json', license: 'MIT', description: 'Finds', source: 'A test' },
    }
    await layout('finder', ['model.json'])
    writeFileSync(at('finder', 'labels.json'), JSON.stringify([{ className: 'cat' }]))
    writeFileSync(at('finder', 'whisklens.json'), JSON.stringify(description))
    await expectRefused(['two', '--model', './finder'], 'is for detection', '--model')
  })

  it('with an unknown engine', () => expectRefused(['two', '--engine', 'steam'], '"steam"'))

  it.each([
    ['--holdout', '60%', 'from 0% to 50%'],
    ['--holdout', '0.2', 'from 0% to 50%'],
    ['--name', 'My Pets', 'whisklens teach --help'],
  ])('with %s %s', async (option, value, words) => {
    const { code, stderr } = await run(['teach', 'two', option, value])
    expect(code).toBe(2)
    expect(stderr).toContain(words)
  })
})
