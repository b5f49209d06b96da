import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const preload = join(__dirname, '..', '..', 'scripts', 'without-code.cjs')

/** Fake service of OpenWhisk's runtime: returns what it was told to start. */
const service =
  'exports.getService = ({ port }) => ({ port, initCode: async ({ body = {} }) => ({ code: 200, response: body.value ?? {} }) })'

/** Calls the service like the runtime, with each given body of /init. */
const app = `
const service = require('./src/service').getService({ port: 8080 })
if (service.port !== 8080) throw new Error('another service')
Promise.all(JSON.parse(process.argv[2]).map((body) => service.initCode({ body })))
  .then((answers) => console.log(JSON.stringify(answers.map(({ response }) => response))))
`

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'whisklens-preload-'))
  mkdirSync(join(folder, 'src'))
  writeFileSync(join(folder, 'src', 'service.js'), service)
  writeFileSync(join(folder, 'app.js'), app)
  writeFileSync(join(folder, 'predict.zip'), 'a zip')
})
afterAll(() => rmSync(folder, { recursive: true }))

const options = () => ({
  cwd: folder,
  env: { ...process.env, WHISKLENS_DEFAULT_ACTION: join(folder, 'predict.zip') },
  encoding: 'utf8' as const,
})

const started = (...bodies: unknown[]) =>
  JSON.parse(execFileSync(process.execPath, ['-r', preload, 'app.js', JSON.stringify(bodies)], options()))

const code = Buffer.from('a zip').toString('base64')

it('runs the image’s own action, with the action’s environment', () => {
  const env = { SETTING: 'x' }
  expect(
    started(
      { value: { name: 'n', main: 'other', code: '', binary: false, env } },
      { value: { name: 'n' } },
      {},
    ),
  ).toEqual([
    { name: 'n', main: 'main', code, binary: true, env },
    { name: 'n', main: 'main', code, binary: true },
    { main: 'main', code, binary: true },
  ])
})

it('leaves an action with code to the runtime', () => {
  const value = { name: 'n', main: 'other', code: 'const other = () => ({})', binary: false, env: {} }
  expect(started({ value })).toEqual([value])
})

it('fails with another runtime', () => {
  writeFileSync(join(folder, 'src', 'service.js'), 'exports.start = () => {}')
  const { status, stderr } = spawnSync(process.execPath, ['-r', preload, '-e', '0'], options())
  writeFileSync(join(folder, 'src', 'service.js'), service)
  expect(status).not.toBe(0)
  expect(stderr).toContain('Unexpected OpenWhisk runtime')
})
