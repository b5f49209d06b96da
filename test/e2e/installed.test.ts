import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import sharp from 'sharp'
import { missingFiles, type Packed } from '../../scripts/tarball'
import type { Finding } from '../../src/cli/doctor/finding'
import { clientsOf, parseLines } from '../helpers/clients'
import { sample } from '../helpers/images'
import { installPackage, pack } from '../helpers/installed-package'
import { eventually, type RunningLocal, startLocalModeOf } from '../helpers/local-mode'
import { needs } from '../helpers/needs'
import { buildStock, stockMissing } from '../helpers/stock-zip'

const root = join(__dirname, '..', '..')
/** Packing, unpacking and zipping the whole installation is slow. Milliseconds. */
jest.setTimeout(300_000)

let folder: string
let modules: string
let bin: string
let packed: Packed

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'whisklens-installed-'))
  packed = installPackage(folder)
  modules = join(folder, 'node_modules')
  bin = join(modules, 'whisklens', 'bin', 'whisklens.js')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function whisklens(...args: string[]) {
  const child = spawn(process.execPath, [bin, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { stdout, stderr, code: code as number | null }
}

async function findings(dataDir: string) {
  const { stdout, code } = await whisklens('doctor', '--json', '--data', dataDir)
  const found = parseLines<Finding>(stdout)
  return { code, found: Object.fromEntries(found.map((finding) => [finding.name, finding])) }
}

describe('the tarball', () => {
  it('has all files that the package needs, and no stock zips', () => {
    expect(missingFiles(packed)).toEqual([])
    expect(packed.files.filter(({ path }) => path.startsWith('dist/stock'))).toEqual([])
    process.stderr.write(`tarball: ${(packed.size / 1e6).toFixed(1)} MB, ${packed.files.length} files\n`)
    expect(packed.size).toBeLessThan(40e6)
  })

  it('of a checkout that was not built is refused', () => {
    const checkout = join(folder, 'checkout')
    for (const path of ['package.json', 'bin', 'models', 'notices', 'samples'])
      cpSync(join(root, path), join(checkout, path), { recursive: true })
    const missing = missingFiles(pack(checkout, folder))
    for (const path of ['dist/cli.cjs', 'dist/actions/classify.zip', 'dist/THIRD-PARTY-NOTICES.txt'])
      expect(missing).toContain(path)
  })
})

const sampleFile = (name: string): string => join(root, 'samples', `${name}.jpg`)

const startThere = (dataDir: string): Promise<RunningLocal> =>
  startLocalModeOf([process.execPath, bin], join(folder, dataDir))

describe('the package, installed in another folder,', () => {
  describe('in its local mode', () => {
    let local: RunningLocal

    beforeAll(async () => {
      local = await startThere('whole')
    })
    afterAll(() => local.stop())

    it('classifies every format in its containers, like a checkout', async () => {
      mkdirSync(join(folder, 'photos'))
      for (const format of ['png', 'webp', 'avif'] as const)
        writeFileSync(
          join(folder, 'photos', `cat.${format}`),
          await sharp(sample('cat')).resize(320)[format]().toBuffer(),
        )
      expect((await whisklens('upload', 'photos', '--data', local.dataDir)).code).toBe(0)
      const batch = await whisklens('batch', '', '--force', '--json', '--data', local.dataDir)
      expect(JSON.parse(batch.stdout)).toMatchObject({ totals: { planned: 3, ok: 3, error: 0 } })
      const { found } = await findings(local.dataDir)
      expect(found.classify).toMatchObject({
        state: 'ok',
        detail: expect.stringMatching(/decoder sharp /),
      })
    })

    needs(stockMissing).it('deploys without an image, with the very zip that a clone builds', async () => {
      const deployed = await whisklens('deploy', '--stock', '--json', '--data', local.dataDir)
      expect(deployed).toMatchObject({ code: 0 })
      const { exec } = await clientsOf(local.connection).ow.actions.get({ name: 'whisklens/classify' })
      expect(exec).toMatchObject({ code: buildStock() })
    })
  })

  it.each(['onnx', 'wasm', 'cpu'])('classifies with the engine %s on the command line', async (engine) => {
    const { stdout, stderr } = await whisklens('classify', '--json', '--engine', engine, sampleFile('cat'))
    expect(parseLines(stdout)[0]).toMatchObject({
      engine,
      labels: expect.arrayContaining([expect.anything()]),
    })
    expect(stderr).not.toContain('Cannot find module')
  })

  it('reports a missing sharp in the log of each activation, and in doctor', async () => {
    unlinkSync(join(modules, 'sharp'))
    const local = await startThere('without')
    try {
      const { ow } = clientsOf(local.connection)
      const image = (await sharp(sample('cat')).png().toBuffer()).toString('base64')
      const activationId = await ow.actions
        .invoke({ name: 'whisklens/classify', params: { image }, blocking: true })
        .then(({ activationId }) => activationId)
        .catch((thrown) => thrown.error.activationId as string)
      const { response, logs } = await eventually(
        () => ow.activations.get({ name: activationId }).catch(() => undefined),
        'the activation',
      )
      expect(response?.result?.error).toContain('(image_unsupported)')
      expect((logs ?? []).join('\n')).toMatch(/"level":"warn".*sharp is not installed/)
      const { found, code } = await findings(local.dataDir)
      expect(code).toBe(1)
      for (const name of ['decoder', 'classify'])
        expect(found[name]).toMatchObject({
          state: 'failed',
          detail: expect.stringMatching(/sharp is (not|missing)/),
        })
    } finally {
      await local.stop()
    }
  })
})
