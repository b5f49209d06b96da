// biome-ignore-all lint/suspicious/noTemplateCurlyInString: manifests hold such text
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { manifestMemory } from '../../src/batch/records/usage'
import { environmentName, inputName, packageInputs, settingNames } from '../../src/config'
import { readManifest, toParameters } from '../../src/openwhisk/manifest'
import { batchRequestSchema } from '../../src/schema'
import { requestSchema as feedRequestSchema } from '../../triggers/bucket-feed'

const home = join(__dirname, '..', '..')

let folder: string
let written = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whisklens-manifest-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function read(yaml: string, env: NodeJS.ProcessEnv = {}) {
  const path = join(folder, `manifest-${++written}.yaml`)
  await writeFile(path, yaml)
  return readManifest(path, env)
}

/** A manifest of one package. @param parts merged into the package */
const manifestOf = (parts: object = {}): string =>
  stringify({
    project: { name: 'p', packages: { whisklens: { version: '1.0', license: 'Apache-2.0', ...parts } } },
  })

const actionOf = (changes: object): string =>
  manifestOf({ actions: { a: { function: 'a.zip', runtime: 'nodejs:20', ...changes } } })

async function inputOf(value: unknown, env: NodeJS.ProcessEnv = {}): Promise<unknown> {
  const { packages } = await read(manifestOf({ inputs: { a: value } }), env)
  return toParameters(packages.whisklens?.inputs ?? {})[0]?.value
}

describe('the manifest of this repository', () => {
  const path = join(home, 'manifest.yaml')
  const entities = async (env: NodeJS.ProcessEnv = {}) => {
    const { packages } = await readManifest(path, env)
    expect(Object.keys(packages)).toEqual(['whisklens'])
    const parts = packages.whisklens
    if (!parts) throw new Error('There is no package whisklens')
    return parts
  }

  it('has the documented entities', async () => {
    const { actions, sequences, triggers, rules } = await entities()
    expect(Object.keys(actions)).toEqual(
      expect.arrayContaining([
        'classify',
        'aggregate',
        'start-batch',
        'bucket-feed',
        'bucket-events',
        'results',
        'predict',
      ]),
    )
    expect(sequences).toMatchObject({ 'classify-images': { actions: 'classify, aggregate' } })
    expect(Object.keys(triggers)).toEqual(['image-uploaded', 'batch-requested', 'batch-completed'])
    expect(Object.keys(rules)).toEqual(['on-image-uploaded', 'on-batch-requested'])
  })

  it('refers only to existing files', async () => {
    const { actions, sequences, triggers, rules } = await entities()
    for (const { actions: components } of Object.values(sequences)) {
      for (const name of components.split(',')) expect(Object.keys(actions)).toContain(name.trim())
    }
    for (const { trigger, action } of Object.values(rules)) {
      expect(Object.keys(triggers)).toContain(trigger)
      expect([...Object.keys(actions), ...Object.keys(sequences)]).toContain(action)
    }
    for (const { feed } of Object.values(triggers)) {
      if (feed) expect(Object.keys(actions).map((name) => `whisklens/${name}`)).toContain(feed)
    }
    for (const name of Object.keys(actions)) {
      const sources = ['actions', 'triggers'].map((sourceFolder) => join(home, sourceFolder, `${name}.ts`))
      expect([name, sources.some((source) => existsSync(source))]).toEqual([name, true])
    }
  })

  it('passes every setting that actions read from the environment', async () => {
    const env = Object.fromEntries(settingNames.map((name) => [environmentName(name), `value of ${name}`]))
    const { inputs, actions } = await entities(env)
    const image = 'runtimeImage'
    expect(inputs).toEqual(
      Object.fromEntries(
        settingNames.filter((name) => name !== image).map((name) => [inputName(name), `value of ${name}`]),
      ),
    )
    expect(Object.keys(inputs)).toEqual(packageInputs)
    expect(actions.classify?.docker).toBe('value of runtimeImage')
  })

  it('lets no invocation set an input of the package', async () => {
    const { actions, sequences } = await entities()
    // wskdeploy makes the parameters of web actions final by itself.
    const others = Object.values(actions).filter(({ web }) => !web)
    for (const { annotations } of [...others, ...Object.values(sequences)]) {
      expect(annotations).toMatchObject({ final: true })
    }
  })

  it('has no input that a message may set: the platform would refuse it', async () => {
    const inputs = Object.keys((await entities()).inputs)
    const named = [...Object.keys(batchRequestSchema.shape), ...Object.keys(feedRequestSchema.shape)]
    expect(inputs.filter((name) => named.includes(name))).toEqual([])
  })

  it('gives the actions of a batch the memory used in cost estimates', async () => {
    const { actions } = await entities()
    const memory = Object.keys(manifestMemory).map((name) => [name, actions[name]?.limits.memorySize])
    expect(Object.fromEntries(memory)).toEqual(manifestMemory)
  })

  it('gives each action that calls OpenWhisk its key', async () => {
    const { actions } = await entities()
    for (const name of ['aggregate', 'start-batch', 'bucket-events']) {
      expect(actions[name]?.annotations).toMatchObject({ 'provide-api-key': true })
    }
  })

  it('stays within the limits of stock OpenWhisk', async () => {
    for (const { limits } of Object.values((await entities()).actions)) {
      expect(limits.memorySize ?? 256).toBeLessThanOrEqual(512)
      expect(limits.timeout ?? 60_000).toBeLessThanOrEqual(300_000)
    }
  })
})

describe('a manifest', () => {
  it('resolves files relative to itself', async () => {
    const manifest = await read(actionOf({}))
    expect(manifest.resolve(manifest.packages.whisklens?.actions.a?.function ?? '')).toBe(
      join(folder, 'a.zip'),
    )
    expect(manifest.project).toBe('p')
  })

  it.each([
    ['of the project', stringify({ project: { name: 'p', packages: {}, config: '' } })],
    ['of a package', manifestOf({ apis: {} })],
    ['of an action', actionOf({ kind: 'nodejs:20' })],
    ['of an action’s limits', actionOf({ limits: { concurrency: 2 } })],
    ['of a sequence', manifestOf({ sequences: { s: { actions: 'a', limits: {} } } })],
    ['of a trigger', manifestOf({ triggers: { t: { annotations: {} } } })],
    ['of a rule', manifestOf({ rules: { r: { trigger: 't', action: 'a', status: 'active' } } })],
    ['of an input', manifestOf({ inputs: { a: { value: 1, description: 'x' } } })],
  ])('with an unknown name among those %s is refused', async (_, yaml) => {
    await expect(read(yaml)).rejects.toMatchObject({
      code: 'bad_deployment',
      message: expect.stringContaining('is not valid'),
    })
  })

  it.each([
    ['a sequence as a list', manifestOf({ sequences: { s: { actions: ['a', 'b'] } } })],
    ['a limit that is no integer', actionOf({ limits: { timeout: '60s' } })],
    ['a limit from the environment', actionOf({ limits: { timeout: '$TIMEOUT' } })],
    ['a folder as the function', actionOf({ function: 'dist/a' })],
    ['an upper-case .ZIP', actionOf({ function: 'a.ZIP' })],
    ['a version that is a number', manifestOf({ version: 1 })],
    ['no licence', manifestOf({ license: undefined })],
    ['web: false', actionOf({ web: false })],
    ['no project', stringify({ packages: {} })],
    ['nothing in it', ''],
  ])('with %s is refused', async (_, yaml) => {
    await expect(read(yaml, { TIMEOUT: '1000' })).rejects.toMatchObject({ code: 'bad_deployment' })
  })

  it('with a duplicate name is refused', async () => {
    const twice = `${manifestOf()}      license: MIT\n`
    await expect(read(twice)).rejects.toThrow(/cannot be read/)
  })

  it('that is missing is an error that names it', async () => {
    await expect(readManifest(join(folder, 'none.yaml'), {})).rejects.toThrow(/none\.yaml cannot be read/)
  })

  it('is YAML 1.1, where a bare yes is true and no is false', async () => {
    const { packages } = await read(
      `${actionOf({ annotations: 'X' }).replace('annotations: X', 'annotations: { feed: yes, final: no, off: on }')}`,
    )
    expect(packages.whisklens?.actions.a?.annotations).toMatchObject({ feed: true, final: false })
  })
})

describe('variables in a manifest', () => {
  const env = { NAME: 'value', EMPTY: '' }

  it.each([
    ['$NAME', 'value'],
    ['${NAME}', 'value'],
    ['$EMPTY', ''],
    ['$UNSET', ''],
    ['${UNSET}', ''],
    ['NAME', 'NAME'],
    ['$', '$'],
    ['x-$NAME', 'x-$NAME'],
    ['5$', '5$'],
  ])('%s is %j', async (text, expected) => {
    expect(await inputOf(text, env)).toBe(expected)
  })

  it.each(['$NAME-$EMPTY', '${NAME}-x', 'x-${NAME}', '${NAME:-default}', '$NAME.txt', '$5.00'])(
    '%s is refused: wskdeploy interprets it differently',
    async (text) => {
      await expect(inputOf(text, env)).rejects.toMatchObject({
        code: 'bad_deployment',
        message: expect.stringContaining(text),
      })
    },
  )

  it('whose values look like variables are not expanded twice', async () => {
    expect(await inputOf('$OUTER', { OUTER: '$NAME', NAME: 'value' })).toBe('$NAME')
  })

  it('are not expanded in lists and in names', async () => {
    const { packages } = await read(
      manifestOf({
        actions: { $NAME: { function: 'a.zip', annotations: { list: ['$NAME', 'x-${NAME}'] } } },
      }),
      env,
    )
    expect(packages.whisklens?.actions).toMatchObject({
      $NAME: { annotations: { list: ['$NAME', 'x-${NAME}'] } },
    })
  })
})

describe('an input', () => {
  it.each([
    ['text', 'text'],
    [7, 7],
    [true, true],
    [{ type: 'string', value: 'v', default: 'd' }, 'v'],
    [{ type: 'string', default: 'd' }, 'd'],
    [{ type: 'string' }, ''],
    [{ value: { nested: '$NAME' } }, { nested: 'value' }],
  ])('%j is %j', async (input, value) => {
    expect(await inputOf(input, { NAME: 'value' })).toEqual(value)
  })

  it('with an unset variable is empty, without its default, as with wskdeploy', async () => {
    expect(await inputOf({ value: '${UNSET}', default: 'd' })).toBe('')
  })
})
