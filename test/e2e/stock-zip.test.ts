import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const root = join(__dirname, '..', '..')

/** The binary that OpenWhisk's image needs, which may not be that of the machine that runs the tests. */
const canRun = existsSync(join(root, 'node_modules', '@img', 'sharp-linux-x64')) && process.arch === 'x64'
if (!canRun) process.stderr.write('skipped: the stock zip needs linux on x64\n')

const zipOf = (action: string) => join(root, 'dist', 'stock', `${action}.zip`)
const sample = (name: string) => readFileSync(join(root, 'samples', `${name}.jpg`)).toString('base64')

function buildStock(): string {
  execFileSync(process.execPath, ['--import', 'tsx', join('scripts', 'build-stock.ts')], { cwd: root })
  return readFileSync(zipOf('classify')).toString('base64')
}

;(canRun ? describe : describe.skip)('the zip for stock nodejs:20', () => {
  let folder: string
  let child: ChildProcess
  let port: string
  let code: string

  const post = async (path: string, body: object) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    })
    return (await answer.json()) as Record<string, unknown>
  }
  const run = (value: object) =>
    post('/run', {
      value,
      action_name: '/guest/whisklens/classify',
      activation_id: 'a1',
      deadline: '9999999999999',
    })

  beforeAll(async () => {
    code = buildStock()
    folder = mkdtempSync(join(tmpdir(), 'whisklens-stock-'))
    // Nothing of this checkout: neither its folder nor its modules nor its settings.
    const env = { PATH: process.env.PATH, HOME: folder }
    const runner = join(root, 'test', 'helpers', 'action-runner.js')
    child = spawn(process.execPath, [runner], { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = await once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), 'line')
    port = String(line)
    expect(await post('/init', { value: { code, main: 'main', binary: true } })).toEqual({ OK: true })
  })

  afterAll(async () => {
    const exited = once(child, 'exit')
    child.kill()
    await exited
    rmSync(folder, { recursive: true })
  })

  it('fits what OpenWhisk takes', () => {
    const mebibytes = statSync(zipOf('classify')).size / 1024 / 1024
    process.stderr.write(`stock/classify.zip: ${mebibytes.toFixed(1)} MiB\n`)
    expect(code.length).toBeLessThan(48 * 1024 * 1024)
  })

  it.each([
    ['cat', 'tiger cat'],
    ['coffee', 'espresso'],
    ['rocket', 'missile'],
  ])('classifies %s', async (name, label) => {
    const { results } = (await run({ image: sample(name) })) as { results: { className: string }[] }
    expect(results).toHaveLength(3)
    expect(results[0]?.className).toContain(label)
  })

  it('decodes more than JPEG, so the native decoder is in it', async () => {
    const png = readFileSync(join(root, 'samples', 'cat.jpg'))
    const { default: sharp } = await import('sharp')
    const image = (await sharp(png).png().toBuffer()).toString('base64')
    expect(await run({ image })).toMatchObject({
      results: [{ className: expect.stringContaining('cat') }, {}, {}],
    })
  })

  it('is made of the same bytes each time', () => {
    expect(buildStock()).toBe(code)
  })
})
