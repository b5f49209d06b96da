import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/**
 * Starts an action in its own process, isolated from this checkout's folder, modules and settings.
 * @param node path of the Node.js binary
 */
export async function startActionProcess(node = process.execPath) {
  const folder = mkdtempSync(join(tmpdir(), 'whisklens-action-'))
  const env = { PATH: process.env.PATH, HOME: folder }
  const child = spawn(node, [join(__dirname, 'action-runner.js')], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const [port] = await once(createInterface({ input: child.stdout }), 'line')
  const post = async (path: string, body: object) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    })
    return (await answer.json()) as Record<string, unknown>
  }
  return {
    /** @param code base64 zip */
    init: (code: string) => post('/init', { value: { code, main: 'main', binary: true } }),
    run: (value: object) =>
      post('/run', {
        value,
        action_name: '/guest/whisklens/classify',
        activation_id: 'a1',
        deadline: '9999999999999',
      }),
    stderr: () => stderr,
    async stop(): Promise<void> {
      const exited = once(child, 'close')
      child.kill()
      await exited
      rmSync(folder, { recursive: true })
    },
  }
}
export type ActionProcess = Awaited<ReturnType<typeof startActionProcess>>
