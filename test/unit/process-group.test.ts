import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { signalGroup } from '../../src/local/containers/process-group'

/** A group leader and its child, both running until killed. */
async function family() {
  const script = `
    const { spawn } = require('node:child_process')
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
    child.on('spawn', () => console.log(child.pid))
    setInterval(() => {}, 1000)`
  const parent = spawn(process.execPath, ['-e', script], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [line] = await once(createInterface({ input: parent.stdout }), 'line')
  return { parent, child: Number(line) }
}

/** Zombies count as dead: an orphan's new parent may reap it late. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

it('ends a process with its children', async () => {
  const { parent, child } = await family()
  const closed = once(parent, 'exit')
  signalGroup(parent.pid as number, 'SIGKILL')
  await closed
  while (isAlive(child)) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(() => signalGroup(parent.pid as number, 'SIGKILL')).not.toThrow()
})

it('on Windows, without groups, ends the process tree', () => {
  const folder = mkdtempSync(join(tmpdir(), 'whisklens-taskkill-'))
  const { PATH } = process.env
  try {
    const program = join(folder, 'taskkill')
    writeFileSync(program, `#!/bin/sh\necho "$@" > '${folder}/asked'\n`)
    chmodSync(program, 0o755)
    process.env.PATH = `${folder}${delimiter}${PATH}`
    signalGroup(4711, 'SIGTERM', false)
    expect(readFileSync(join(folder, 'asked'), 'utf8')).toBe('/pid 4711 /t /f\n')
  } finally {
    process.env.PATH = PATH
    rmSync(folder, { recursive: true })
  }
})
