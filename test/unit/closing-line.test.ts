import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(__dirname, '..', '..')

describe('the closing lines of a test run', () => {
  const folder = mkdtempSync(join(tmpdir(), 'whisklens-closing-'))
  let output: string
  beforeAll(() => {
    const tests = {
      'some.test.ts': `const { needs } = require(${JSON.stringify(join(root, 'test', 'helpers', 'needs'))})
        needs('no browser').describe('the page', () => {
          it('is shown', () => {})
          describe('in the dark', () => it('is shown, too', () => {}))
        })
        describe('an engine', () => {
          needs('npm install it').it('answers', async () => {})
          needs(undefined).it('is named', async () => {})
        })`,
      'all.test.ts': `it.skip('says nothing', () => {}); it.todo('is to come')`,
      'failing.test.ts': `it('fails', () => { throw new Error('as meant') })`,
      'broken.test.ts': `throw new Error('no tests')`,
    }
    for (const [name, text] of Object.entries(tests)) writeFileSync(join(folder, name), text)
    const own = require(join(root, 'jest.config.js'))
    const config = {
      rootDir: folder,
      transform: { '^.+\\.ts$': [require.resolve('@swc/jest'), own.transform['^.+\\.(ts|js|mjs)$'][1]] },
      reporters: ['default', join(root, 'test', 'closing-line.js')],
    }
    writeFileSync(join(folder, 'jest.config.json'), JSON.stringify(config))
    const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js')
    output = spawnSync(process.execPath, [jest, '--config', join(folder, 'jest.config.json'), '-w', '1'], {
      cwd: folder,
      encoding: 'utf8',
    }).stdout
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const skipped = [
    'skipped: all.test.ts: no reason given (2 tests)',
    'skipped: an engine › answers: npm install it (1 test)',
    'skipped: the page: no browser (2 tests)',
  ]

  it('name what was skipped and why, and count it last', () => {
    const lines = output.trimEnd().split('\n')
    expect(lines.at(-1)).toBe('1 passed, 2 failed, 5 skipped')
    expect(lines.slice(-4, -1).sort()).toEqual(skipped)
  })

  it('add up over several runs', () => {
    const file = join(folder, 'output')
    writeFileSync(file, `${output}\n== npm run lint\nfound 0 errors\n\n3 passed, 0 failed, 1 skipped\n`)
    const lines = execFileSync(join(root, '.ci', 'closing-lines'), [file], { encoding: 'utf8' })
      .trimEnd()
      .split('\n')
    expect(lines.at(-1)).toBe('4 passed, 2 failed, 6 skipped')
    expect(lines.slice(0, -1).sort()).toEqual(skipped)
  })

  it('of runs without a test say so', () => {
    const file = join(folder, 'nothing')
    writeFileSync(file, 'npm error\n')
    expect(execFileSync(join(root, '.ci', 'closing-lines'), [file], { encoding: 'utf8' })).toBe(
      '0 passed, 0 failed, 0 skipped\n',
    )
  })
})
