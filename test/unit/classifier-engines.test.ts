import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { findEngine } from '../../src/classifier/engines'
import { type Bundle, bundle } from '../helpers/bundle'
import { modelCopy, removeModelCopies } from '../helpers/model-copy'
import { needs } from '../helpers/needs'

const root = join(__dirname, '..', '..')
const modules = join(root, 'node_modules')
const folder = mkdtempSync(join(tmpdir(), 'whisklens-engines-'))

/** A home with models, samples and WebAssembly, but no packages: modules resolve through NODE_PATH only. */
const bare = { WHISKLENS_HOME: join(folder, 'home'), WHISKLENS_TFJS_NODE: join(folder, 'nothing') }

let child: Bundle
beforeAll(async () => {
  mkdirSync(join(bare.WHISKLENS_HOME, 'dist'), { recursive: true })
  for (const name of ['models', 'samples', join('dist', 'wasm')])
    symlinkSync(join(root, name), join(bare.WHISKLENS_HOME, name))
  child = await bundle('test/helpers/engine-child.ts')
})
afterAll(() => {
  child.remove()
  removeModelCopies()
  rmSync(folder, { recursive: true })
})

/** Plants a library that fails to load. @returns the folder for NODE_PATH */
function broken(library: string): string {
  const planted = join(folder, 'planted')
  mkdirSync(join(planted, library), { recursive: true })
  writeFileSync(join(planted, library, 'index.js'), "throw new Error('made for another machine')")
  return planted
}

describe('the engine "auto"', () => {
  it('falls back to the next if one does not start, and logs it', async () => {
    const NODE_PATH = [broken('onnxruntime-node'), modules].join(delimiter)
    const { exitCode, stdout, stderr } = await child.run(['auto', 'efficientnet-lite0'], {
      ...bare,
      NODE_PATH,
    })
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout).engine).toBe('wasm')
    expect(JSON.parse(stderr)).toMatchObject({
      level: 'warn',
      engine: 'onnx',
      reason: expect.stringContaining('made for another machine'),
    })
  })

  it('reports why no engine can run a model', async () => {
    const { exitCode, stderr } = await child.run(
      ['auto', modelCopy({ 'model.json': '{}', 'model.onnx': null })],
      bare,
    )
    expect(exitCode).toBe(1)
    expect(stderr).toContain('model.json is not valid')
  })
})

describe('the engine "tfjs"', () => {
  const engineIn = async (memory: string) => {
    const env = { NODE_PATH: modules, WHISKLENS_HOME: bare.WHISKLENS_HOME, WHISKLENS_MEMORY: memory }
    const { stdout, stderr } = await child.run(['tfjs', 'efficientnet-lite0'], env)
    expect(stderr).toBe('')
    return JSON.parse(stdout).engine
  }

  needs(findEngine('tfjs-node').missing()).it('is tfjs-node in an action of 512 MB', async () => {
    expect(await engineIn('512')).toBe('tfjs-node')
  })

  it('is wasm in a small action, even if better engines are installed', async () => {
    expect(await engineIn('256')).toBe('wasm')
  })

  it('lists the engines of a model that none of TensorFlow.js can run', async () => {
    const onnxOnly = modelCopy({ 'model.json': null })
    const { exitCode, stderr } = await child.run(['tfjs', onnxOnly], bare)
    expect(exitCode).toBe(1)
    expect(stderr).toContain('Set WHISKLENS_ENGINE to auto, or to one of: onnx')
  })
})

it('an engine that is not installed is refused with a hint', async () => {
  const { exitCode, stderr } = await child.run(['tfjs-node', 'efficientnet-lite0'], bare)
  expect(exitCode).toBe(1)
  expect(stderr).toContain('The engine "tfjs-node" is not installed')
  expect(stderr).toContain("code: 'engine_missing'")
  expect(stderr).toContain('whisklens doctor --install-tfjs-node')
})
