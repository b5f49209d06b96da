import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, copyFile, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bin } from './cli-run'

/** A fake build: the bundle prints its source, and each build appends a line to a log. */
const build = `
import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
const source = readFileSync('src/main.ts', 'utf8')
appendFileSync('builds.log', 'built\\n')
if (source === 'broken') throw new Error('broken')
mkdirSync('dist', { recursive: true })
writeFileSync('dist/new', \`console.log(\${JSON.stringify(source)})\`)
renameSync('dist/new', 'dist/cli.cjs')
`

let root: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'whisklens-bin-'))
  for (const folder of ['bin', 'scripts', 'src', 'node_modules']) await mkdir(join(root, folder))
  await copyFile(bin, join(root, 'bin', 'whisklens.js'))
  await symlink(join(bin, '..', '..', 'node_modules', 'tsx'), join(root, 'node_modules', 'tsx'))
  await writeFile(join(root, 'scripts', 'build.ts'), build)
  await writeFile(join(root, 'package.json'), '{}')
  await write('one')
})

afterEach(() => rm(root, { recursive: true }))

const write = (source: string) => writeFile(join(root, 'src', 'main.ts'), source)
const builds = async () => (await readFile(join(root, 'builds.log'), 'utf8')).split('\n').length - 1

async function run() {
  const child = spawn(process.execPath, [join(root, 'bin', 'whisklens.js')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (text) => {
      output[name] += text
    })
  }
  const [code] = await once(child, 'close')
  return { ...output, code: code as number | null }
}

describe('bin/whisklens.js in a checkout', () => {
  it('builds what is missing or older than its sources, and nothing else', async () => {
    expect(await run()).toMatchObject({ code: 0, stdout: 'one\n' })
    expect(await run()).toMatchObject({ code: 0, stdout: 'one\n' })
    expect(await builds()).toBe(1)
    await write('two')
    expect(await run()).toMatchObject({ code: 0, stdout: 'two\n' })
    await rm(join(root, 'package.json'))
    await utimes(join(root, 'src'), new Date(), new Date(Date.now() + 5))
    expect(await run()).toMatchObject({ code: 0, stdout: 'two\n' })
    expect(await builds()).toBe(3)
  })

  it('builds once for several concurrent starts', async () => {
    const runs = await Promise.all(Array.from({ length: 4 }, run))
    expect(runs.map(({ stdout }) => stdout)).toEqual(Array(4).fill('one\n'))
    expect(await builds()).toBe(1)
  })

  it('takes over from a build that died', async () => {
    const ended = spawn(process.execPath, ['-e', ''])
    await once(ended, 'exit')
    await mkdir(join(root, 'node_modules', '.cache'))
    await writeFile(join(root, 'node_modules', '.cache', 'whisklens-build.lock'), String(ended.pid))
    expect(await run()).toMatchObject({ code: 0, stdout: 'one\n' })
  })

  it('runs with a source dated in the future', async () => {
    await utimes(join(root, 'src', 'main.ts'), new Date(), new Date(Date.now() + 3_600_000))
    expect(await run()).toMatchObject({ code: 0, stdout: 'one\n' })
  })

  it('reports a failed build, and leaves no lock', async () => {
    await run()
    await write('broken')
    const { code, stdout, stderr } = await run()
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/error: the build failed\n$/)
    await expect(access(join(root, 'node_modules', '.cache', 'whisklens-build.lock'))).rejects.toThrow()
  })

  it('says what to do if nothing is installed', async () => {
    await rm(join(root, 'node_modules'), { recursive: true })
    expect(await run()).toMatchObject({ code: 1, stderr: expect.stringContaining('npm ci') })
  })
})

it('does not build in an installed package', async () => {
  await rm(join(root, 'scripts'), { recursive: true })
  await mkdir(join(root, 'dist'))
  await writeFile(join(root, 'dist', 'cli.cjs'), 'console.log("installed")')
  expect(await run()).toMatchObject({ code: 0, stdout: 'installed\n' })
})
