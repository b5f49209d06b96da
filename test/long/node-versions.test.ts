import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { startActionProcess } from '../helpers/action-process'
import { parseLines } from '../helpers/clients'
import { sample } from '../helpers/images'
import { installPackage } from '../helpers/installed-package'
import { startLocalModeOf } from '../helpers/local-mode'
import { needs } from '../helpers/needs'
import { nodeVersions } from '../helpers/node-versions'
import { buildStock, stockMissing } from '../helpers/stock-zip'
import { compile, programsIn } from '../helpers/typescript-project'

/* The packed package in an otherwise empty folder, on each supported version of Node.js. */

const samples = join(__dirname, '..', '..', 'samples')
let folder: string
let bin: string
let stock = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'whisklens-node-'))
  installPackage(folder)
  bin = join(folder, 'node_modules', 'whisklens', 'bin', 'whisklens.js')
  mkdirSync(join(folder, 'photos'))
  for (const name of ['cat', 'coffee'])
    copyFileSync(join(samples, `${name}.jpg`), join(folder, 'photos', `${name}.jpg`))
  const [program = ''] = programsIn('README.md')
  writeFileSync(join(folder, 'readme.mts'), program)
  expect(compile(folder, ['readme.mts'], ['--module', 'node16'])).toBe('')
  if (!stockMissing) stock = buildStock()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function run(node: string, ...args: string[]) {
  const child = spawn(node, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { stdout, stderr, code: code as number | null }
}

describe.each(nodeVersions)('Node.js $major', ({ major, binary = '', missing }) => {
  needs(missing).it('runs the demo, and warns of nothing there or in its containers', async () => {
    const dataDir = join(folder, `demo-${major}`)
    const { stdout, stderr, code } = await run(binary, bin, 'demo', '--data', dataDir, '--json', '--quiet')
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
    const [summary, ...records] = parseLines<Record<string, unknown>>(stdout)
    expect(summary).toMatchObject({ totals: { planned: 8, ok: 8, error: 0 } })
    expect(records).toHaveLength(8)
    const file = join(dataDir, 'openwhisk', 'activations.jsonl')
    const activations = parseLines<{ logs: string[] }>(readFileSync(file, 'utf8'))
    expect(activations.length).toBeGreaterThan(8)
    expect(activations.flatMap(({ logs }) => logs).filter((line) => /warning/i.test(line))).toEqual([])
  })

  needs(missing).it('runs the program of README in TypeScript', async () => {
    const dataDir = join(folder, '.whisklens')
    const local = await startLocalModeOf([binary, bin], dataDir)
    try {
      await run(binary, bin, 'upload', 'photos', '--prefix', 'photos/')
      const { stdout, stderr, code } = await run(binary, '--throw-deprecation', 'readme.mjs')
      expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
      const lines = stdout.trimEnd().split('\n')
      expect(lines[0]).toMatch(/^tiger cat 0\.\d+$/)
      expect(lines.slice(-3)).toEqual(['2 of 2', 'complete 2 0', 'photos/cat.jpg tiger cat'])
    } finally {
      await local.stop()
      rmSync(dataDir, { recursive: true })
    }
  })

  const commands = [
    ['classify', '--quiet', '--json', join(samples, 'cat.jpg')],
    ['doctor', '--json'],
    ['model', 'info', 'efficientnet-lite0'],
  ]
  for (const args of commands)
    needs(missing).it(`deprecates nothing that ${args[0]} calls`, async () => {
      const { stderr, code } = await run(binary, '--throw-deprecation', bin, ...args)
      expect([code, stderr]).toEqual([0, ''])
    })

  needs(missing || stockMissing).it('runs the zip of the stock image', async () => {
    const action = await startActionProcess(binary)
    try {
      expect(await action.init(stock)).toEqual({ OK: true })
      const image = sample('cat').toString('base64')
      expect(await action.run({ image })).toMatchObject({
        results: [{ className: expect.stringContaining('cat') }, {}, {}],
      })
    } finally {
      await action.stop()
    }
    expect(action.stderr()).toBe('')
  })
})
