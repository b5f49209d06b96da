import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nsfw } from '../../src/models/catalogue/nsfw'
import { openSources } from '../../src/models/catalogue/sources'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whisklens-nsfw-'))
})
afterEach(() => rm(folder, { recursive: true }))

const write = () =>
  nsfw.write(
    folder,
    openSources(() => {}, folder),
  )

describe('nsfwjs’ model from a folder', () => {
  it('is refused if it differs', async () => {
    const modules = join(folder, 'dist', 'models', 'mobilenet_v2')
    const ran = join(folder, 'ran')
    await mkdir(modules, { recursive: true })
    const code = `const { process } = module.constructor.constructor('return globalThis')()
      process.getBuiltinModule('fs').writeFileSync(${JSON.stringify(ran)}, '')`
    await writeFile(join(modules, 'model.min.js'), code)
    await expect(write()).rejects.toMatchObject({
      code: 'wrong_checksum',
      message: expect.stringContaining('model.min.js does not match nsfwjs'),
    })
    expect(existsSync(ran)).toBe(false)
  })

  it('is reported missing by name', async () => {
    await expect(write()).rejects.toThrow('Expected a file model.min.js in')
  })
})
