import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { runnable } from '../../src/cli/shared/output'
import { bareEnvironment, bin, run, startStore, temporaryFolder } from './cli-run'

const folder = temporaryFolder()
let store: Awaited<ReturnType<typeof startStore>>

beforeAll(async () => {
  store = await startStore(folder.path)
  await mkdir(join(folder.path, 'node_modules', '.bin'), { recursive: true })
  await symlink(bin, join(folder.path, 'node_modules', '.bin', 'whisklens'))
  await writeFile(
    join(folder.path, 'package.json'),
    JSON.stringify({ scripts: { list: 'whisklens status' } }),
  )
})
afterAll(() => store.close())

/** Runs a program of npm in a project that has the package. @returns what it writes to stderr */
async function npm(program: string, ...args: string[]): Promise<string> {
  const child = spawn(program, args, {
    cwd: folder.path,
    env: { ...bareEnvironment(folder.path), ...store.env, npm_config_update_notifier: 'false' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const [stderr] = await Promise.all([text(child.stderr), once(child, 'close')])
  return stderr
}

describe('commands that whisklens suggests', () => {
  const note = 'No batch yet. Start one: whisklens batch <prefix>\n'
  const hint = 'hint: whisklens status lists the batches'
  const typed = (expected: string) => expected.replace('whisklens', 'npx whisklens')

  it('begin with npx if npx or a script of npm started it', async () => {
    expect(await npm('npm', 'run', '--silent', 'list')).toBe(typed(note))
    expect(await npm('npx', '--no', 'whisklens', 'status')).toBe(typed(note))
    expect(await npm('npx', '--no', 'whisklens', 'results', 'nosuch')).toContain(typed(hint))
  })

  it('begin with whisklens otherwise, and in JSON', async () => {
    expect((await run(folder.path, ['status'], store.env)).stderr).toBe(note)
    const json = await npm('npx', '--no', 'whisklens', 'results', 'nosuch', '--json')
    expect(JSON.parse(json).error.hint).toMatch(/^whisklens status lists the batches/)
  })

  it.each([
    ['whisklens deploy', 'npx whisklens deploy'],
    ['Start one: whisklens batch. whisklens --help', 'Start one: npx whisklens batch. npx whisklens --help'],
    ['npx whisklens up', 'npx whisklens up'],
    ['Set DEBUG=whisklens for a stack trace.', 'Set DEBUG=whisklens for a stack trace.'],
    ['Wrote /home/me/whisklens results.csv', 'Wrote /home/me/whisklens results.csv'],
    ['Deploy Whisklens', 'Deploy Whisklens'],
  ])('are found in "%s"', (text, expected) => {
    const before = process.env.npm_lifecycle_event
    try {
      process.env.npm_lifecycle_event = 'npx'
      expect(runnable(text)).toBe(expected)
    } finally {
      if (before === undefined) delete process.env.npm_lifecycle_event
      else process.env.npm_lifecycle_event = before
    }
  })
})
