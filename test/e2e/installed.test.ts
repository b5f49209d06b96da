import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import sharp from 'sharp'
import type { Finding } from '../../src/cli/doctor/finding'
import { clientsOf, parseLines } from '../helpers/clients'
import { sample } from '../helpers/images'
import { eventually, type RunningLocal, startLocalModeOf } from '../helpers/local-mode'

/*
 * As npm install leaves it: the package of this checkout in the node_modules of another folder, what it depends on
 * beside it and not below.
 */

const root = join(__dirname, '..', '..')
let folder: string
let modules: string
let bin: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'whisklens-installed-'))
  modules = join(folder, 'node_modules')
  mkdirSync(join(modules, 'whisklens'), { recursive: true })
  const listed = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [{ filename }] = JSON.parse(listed) as [{ filename: string }]
  execFileSync('tar', ['-xzf', join(folder, filename), '--strip-components=1'], {
    cwd: join(modules, 'whisklens'),
  })
  for (const name of readdirSync(join(root, 'node_modules')).filter((name) => !name.startsWith('.')))
    symlinkSync(join(root, 'node_modules', name), join(modules, name))
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

const startThere = (dataDir: string): Promise<RunningLocal> => startLocalModeOf(bin, join(folder, dataDir))

describe('the package, installed in another folder,', () => {
  it('classifies every format in its containers, as a clone does', async () => {
    const local = await startThere('whole')
    try {
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
        detail: expect.stringMatching(/decoded by sharp /),
      })
    } finally {
      await local.stop()
    }
  })

  it('says loudly that sharp is missing: in the log of each activation, and in doctor', async () => {
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
      expect((logs ?? []).join('\n')).toMatch(/"level":"warn".*sharp is not found/)
      const { found, code } = await findings(local.dataDir)
      expect(code).toBe(1)
      for (const name of ['decoder', 'classify'])
        expect(found[name]).toMatchObject({
          state: 'failed',
          detail: expect.stringContaining('sharp is not'),
        })
    } finally {
      await local.stop()
    }
  })
})
