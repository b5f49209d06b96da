import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { startActionProcess } from '../helpers/action-process'
import { parseLines } from '../helpers/clients'
import { sample } from '../helpers/images'
import { needs } from '../helpers/needs'
import { nodeVersions } from '../helpers/node-versions'
import { buildStock, stockMissing } from '../helpers/stock-zip'

const bin = join(__dirname, '..', '..', 'bin', 'whisklens.js')

let stock = ''
beforeAll(() => {
  if (!stockMissing) stock = buildStock()
})

describe.each(nodeVersions)('Node.js $major', ({ binary = '', missing }) => {
  needs(missing).it('runs the demo, and warns of nothing there or in its containers', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'whisklens-node-'))
    try {
      const args = [bin, 'demo', '--data', join(dataDir, 'demo'), '--json', '--quiet']
      const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] })
      const [stdout, stderr] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, 'close'),
      ])
      expect(stderr).toBe('')
      const [summary, ...records] = parseLines<Record<string, unknown>>(stdout)
      expect(summary).toMatchObject({ totals: { planned: 8, ok: 8, error: 0 } })
      expect(records).toHaveLength(8)
      const file = join(dataDir, 'demo', 'openwhisk', 'activations.jsonl')
      const activations = parseLines<{ logs: string[] }>(readFileSync(file, 'utf8'))
      expect(activations.length).toBeGreaterThan(8)
      expect(activations.flatMap(({ logs }) => logs).filter((line) => /warning/i.test(line))).toEqual([])
    } finally {
      rmSync(dataDir, { recursive: true })
    }
  })

  const commands = [
    ['classify', '--quiet', '--json', join(__dirname, '..', '..', 'samples', 'cat.jpg')],
    ['doctor', '--json'],
    ['model', 'info', 'efficientnet-lite0'],
  ]
  for (const args of commands)
    needs(missing).it(`deprecates nothing that ${args[0]} calls`, async () => {
      const child = spawn(binary, ['--throw-deprecation', bin, ...args], {
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const [, stderr, [code]] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, 'close'),
      ])
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
