import { once } from 'node:events'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { until } from '../../src/cli/demo'
import { targetOf } from '../../src/cli/doctor/tfjs-node/addon'
import { runStep } from '../../src/cli/doctor/tfjs-node/step'
import { writeNewFile } from '../../src/cli/shared/new-file'
import { resultOf } from '../../src/library/batches/activations'
import { asFileError } from '../../src/library/sources/walk'
import { generousLimits } from '../../src/local/host/limits'
import { startLocal } from '../../src/local/up'
import { runConverter } from '../../src/models/converter'
import { temporaryFolder } from './cli-run'

/*
 * Errors with causes that no other test sets up: failing programs, an unsuitable machine, an unresponsive server.
 */

const folder = temporaryFolder()
const at = (...names: string[]): string => join(folder.path, ...names)

/** A server that answers every request with 404. */
async function emptyServer() {
  const server = createServer((_, response) => {
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"error": "Not there."}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, close: () => server.close() }
}

it('activation_pending: an action that does not end', async () => {
  const server = await emptyServer()
  const address = { apiHost: `http://127.0.0.1:${server.port}`, auth: 'uuid:key' }
  await expect(resultOf(address, 'start-batch', 'a1', 300)).rejects.toMatchObject({
    code: 'activation_pending',
    hint: expect.stringContaining('wsk activation get a1'),
  })
  server.close()
})

it('port_in_use: a local mode beside another server', async () => {
  const server = await emptyServer()
  const options = { dataDir: at('data'), apiPort: 0, storePort: server.port, limits: generousLimits }
  await expect(startLocal(options)).rejects.toMatchObject({
    code: 'port_in_use',
    message: `The port ${server.port} is in use`,
  })
  server.close()
})

describe('a program of an installation', () => {
  it('tool_missing: that is not installed', () =>
    expect(runStep(folder.path, 'no-such-program', ['x'])).rejects.toMatchObject({
      code: 'tool_missing',
      message: expect.stringContaining('no-such-program'),
    }))

  it('install_failed: that fails, with its last line', () =>
    expect(
      runStep(folder.path, process.execPath, ['-e', 'console.error("first\\nlast"); process.exit(3)']),
    ).rejects.toMatchObject({ code: 'install_failed', message: expect.stringMatching(/ -e failed: last$/) }))

  it('platform_unsupported: for a platform without TensorFlow', () =>
    expect(() => targetOf('s390x')).toThrow(expect.objectContaining({ code: 'platform_unsupported' })))
})

it('convert_failed: a converter that fails, with its last line', async () => {
  const converter = at('converter')
  mkdirSync(join(converter, 'bin'), { recursive: true })
  writeFileSync(join(converter, 'whisklens-converter'), '')
  const python = join(converter, 'bin', 'python')
  writeFileSync(python, '#!/bin/sh\nprintf "Traceback\\nValueError: no layer" >&2\nexit 1\n')
  chmodSync(python, 0o755)
  process.env.WHISKLENS_CONVERTER = converter
  await expect(runConverter('keras', at('a.keras'), at('out'))).rejects.toMatchObject({
    code: 'convert_failed',
    message: 'ValueError: no layer',
  })
  delete process.env.WHISKLENS_CONVERTER
})

it('demo_timeout: a step that does not finish', () =>
  expect(until('the end', async () => undefined, 300)).rejects.toMatchObject({
    code: 'demo_timeout',
    message: 'Timed out after 0.3 s waiting for the end',
  }))

describe('a file', () => {
  it('file_unwritable: in a missing folder', () =>
    expect(writeNewFile(at('no', 'such'), async () => {})).rejects.toMatchObject({ code: 'file_unwritable' }))

  it.each([
    ['ENOENT', 'file_not_found'],
    ['EACCES', 'access_denied'],
    ['EIO', 'file_unreadable'],
  ])('that the system refuses with %s is %s', (code, expected) =>
    expect(asFileError(Object.assign(new Error(code), { code }), 'a.jpg').code).toBe(expected),
  )
})
