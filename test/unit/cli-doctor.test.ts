import { join } from 'node:path'
import type { Finding } from '../../src/cli/doctor/finding'
import { run, startStore, temporaryFolder } from './cli-run'

const folder = temporaryFolder()

/** A missing model makes the engine checks fail at once, which is fast. */
const noModel = { WHISKLENS_MODEL: 'nonsense' }

async function doctor(env: NodeJS.ProcessEnv = {}, args: string[] = []) {
  const nothing = join(folder.path, 'nothing')
  const { code, lines, stderr, stdout } = await run(folder.path, ['doctor', '--json', ...args], {
    WHISKLENS_TFJS_NODE: nothing,
    ...env,
  })
  const found = new Map(
    lines.map((line) => JSON.parse(line) as Finding).map((finding) => [finding.name, finding]),
  )
  return { code, found, stderr, stdout }
}

describe('whisklens doctor', () => {
  it('passes without optional parts, and lists them', async () => {
    const { code, found, stderr } = await doctor()
    expect([code, stderr]).toEqual([0, ''])
    expect([...found.keys()]).toEqual([
      ...['node', 'decoder', 'model'],
      ...['engine onnx', 'engine tfjs-node', 'engine wasm', 'engine cpu'],
      ...['object store', 'openwhisk'],
    ])
    for (const name of ['node', 'decoder', 'model', 'engine wasm'])
      expect(found.get(name)).toMatchObject({ state: 'ok' })
    expect(found.get('engine wasm')?.detail).toMatch(/^efficientnet-lite0@[0-9a-f]{8}, [\d.]+ ms per image$/)
    expect(found.get('engine cpu')).toMatchObject({
      state: 'absent',
      detail: expect.stringContaining('Not tried'),
    })
    for (const name of ['engine tfjs-node', 'object store', 'openwhisk'])
      expect(found.get(name)).toMatchObject({ state: 'absent', hint: expect.any(String) })
  })

  it('fails if the configured engine is not installed', async () => {
    const { code, found } = await doctor({ WHISKLENS_ENGINE: 'tfjs-node' })
    expect(code).toBe(1)
    expect(found.get('engine tfjs-node')).toMatchObject({
      state: 'failed',
      hint: expect.stringContaining('whisklens doctor --install-tfjs-node'),
    })
    expect(found.get('engine wasm')?.state).toBe('ok')
  })

  it('tries the slow engine if it is selected', async () => {
    const { code, found } = await doctor({ WHISKLENS_ENGINE: 'cpu' })
    expect([code, found.get('engine cpu')?.state]).toEqual([0, 'ok'])
  })

  it('fails for a missing model, and continues', async () => {
    const { code, found } = await doctor(noModel)
    expect(code).toBe(1)
    expect(found.get('model')).toMatchObject({ state: 'failed', detail: expect.stringContaining('nonsense') })
    expect(found.size).toBe(9)
  })

  it('lists the packages of the runtime image if one is configured', async () => {
    const { found } = await doctor({ ...noModel, WHISKLENS_RUNTIME_IMAGE: 'example.org/whisklens:1' })
    expect(found.get('runtime image')).toMatchObject({
      state: 'ok',
      detail: expect.stringMatching(
        /^example\.org\/whisklens:1; built from this version, it has .*@tensorflow\/tfjs 4/,
      ),
    })
  })

  it('checks the buckets, and does not print keys', async () => {
    const { env, close } = await startStore(folder.path)
    try {
      const reached = await doctor({ ...env, ...noModel })
      expect(reached.found.get('object store')).toMatchObject({ state: 'ok' })
      const wrong = await doctor({ ...env, ...noModel, WHISKLENS_S3_SECRET_ACCESS_KEY: 'not-the-one' })
      expect(wrong.found.get('object store')?.state).toBe('failed')
      expect(wrong.stdout).not.toContain('not-the-one')
      const missing = await doctor({ ...env, ...noModel, WHISKLENS_IMAGES_BUCKET: 'nowhere' })
      expect(missing.found.get('object store')).toMatchObject({
        state: 'failed',
        detail: expect.stringContaining('nowhere'),
      })
    } finally {
      await close()
    }
  })

  it('prints the same as text', async () => {
    const { code, stdout } = await run(folder.path, ['doctor'], {
      ...noModel,
      WHISKLENS_TFJS_NODE: join(folder.path, 'nothing'),
    })
    expect(code).toBe(1)
    expect(stdout).toMatch(/^ok +node +v\d+/m)
    expect(stdout).toMatch(/^FAILED +model +There is no model "nonsense"/m)
    expect(stdout).toMatch(/^– +engine tfjs-node .*whisklens doctor --install-tfjs-node/m)
  })
})
