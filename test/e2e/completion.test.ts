import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { summaryKey } from '../../src/batch/state/layout'
import { installed } from '../helpers/installed'
import { needs } from '../helpers/needs'
import { openTerminal, terminalMissing } from '../helpers/terminal'
import { bareEnvironment, bin, run, startStore, summaryOf } from '../unit/cli-run'

let folder: string
let env: NodeJS.ProcessEnv
let store: Awaited<ReturnType<typeof startStore>>

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'whisklens-completion-'))
  store = await startStore(folder)
  for (const batch of ['nightly-1', 'nightly-2'])
    await store.results.put(summaryKey(batch), JSON.stringify(summaryOf(batch, { labels })))
  const programs = join(folder, 'bin')
  for (const name of ['bin', 'photos', 'pictures']) mkdirSync(join(folder, name))
  writeFileSync(join(folder, 'pic.jpg'), '')
  writeFileSync(join(programs, 'whisklens'), `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`)
  chmodSync(join(programs, 'whisklens'), 0o755)
  cpSync(join(__dirname, '..', '..', 'models', 'efficientnet-lite0'), join(folder, 'models', 'flowers'), {
    recursive: true,
  })
  env = {
    ...bareEnvironment(folder),
    ...store.env,
    WHISKLENS_MODELS: join(folder, 'models'),
    PATH: `${programs}${delimiter}${process.env.PATH}`,
  }
})

afterAll(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

const labels = [
  { label: 'tabby', count: 7 },
  { label: 'beagle', count: 1 },
]

/** How to start a shell and set up completion. */
const shells = {
  bash: {
    start: 'bash --norc -i',
    setUp: 'bind "set show-all-if-ambiguous on"; source <(whisklens completion bash)',
  },
  zsh: {
    start: 'zsh -f -i',
    setUp:
      'unsetopt zle_bracketed_paste; autoload -U compinit; compinit -u -D; source <(whisklens completion zsh)',
  },
  fish: { start: 'fish --no-config -i', setUp: 'whisklens completion fish | source' },
}

/** Keys, and the expected output on or below the line. */
const cases: [string, RegExp][] = [
  ['whisklens unde\t', /whisklens undeploy /],
  ['whisklens model rem\t', /model remove /],
  ['whisklens results --min\t', /results --min-probability /],
  ['whisklens up --limits o\t', /--limits openwhisk/],
  ['whisklens up --limits=o\t', /--limits=openwhisk/],
  ['whisklens status nightly-\t', /nightly-1\s+nightly-2/],
  ['whisklens retry ni\t', /retry nightly-/],
  ['whisklens results --code image_co\t', /--code image_corrupt/],
  ['whisklens results --label-is ta\t', /--label-is tabby/],
  ['whisklens classify --model flo\t', /--model flowers/],
  ['whisklens classify --engine tfjs-\t', /--engine tfjs-node/],
  ['whisklens upload pho\t', /upload photos\//],
  ['whisklens classify pic.\t', /classify pic\.jpg/],
  ['whisklens teach pic\t', /teach pictures\//],
]

for (const [name, { start, setUp }] of Object.entries(shells)) {
  const missing = terminalMissing || (!installed(name) && `${name} is not installed`)
  needs(missing).describe(`completion in ${name}`, () => {
    let shell: ReturnType<typeof openTerminal>

    beforeAll(async () => {
      shell = openTerminal(start, { cwd: folder, env, columns: 200 })
      shell.type(`${setUp}; echo re''ady\r`)
      await shell.shows(/^ready/m)
    })

    afterAll(() => shell.close())

    it.each(cases)('%j', async (keys, expected) => {
      shell.type(keys)
      await shell.shows(expected)
      // Ctrl-U: clears the line.
      shell.type('\x15')
      shell.type("echo ne''xt\r")
      await shell.shows(/^next/m)
    })
  })
}

it('offers every command of the program, and nothing that cannot be completed quickly', async () => {
  const words = (...args: string[]) => run(folder, ['complete', '--', ...args], env)
  const { lines } = await words('')
  const help = execFileSync(process.execPath, [bin, '--help'], { encoding: 'utf8', cwd: folder, env })
  const commands =
    help
      .split('Commands:\n')[1]
      ?.split('\n\n')[0]
      ?.match(/^ {2}[a-z]+/gm) ?? []
  expect(commands.length).toBeGreaterThan(15)
  expect(lines.slice(0, -1).map((line) => line.split('\t')[0])).toEqual(
    commands.map((command) => command.trim()),
  )
  const unreachable = { ...env, WHISKLENS_S3_ENDPOINT: 'http://127.0.0.1:9' }
  const { code, stdout, stderr } = await run(folder, ['complete', '--', 'status', ''], unreachable)
  expect([code, stdout, stderr]).toEqual([0, ':none\n', ''])
})
