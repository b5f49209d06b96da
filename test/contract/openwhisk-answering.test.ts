import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describeModel } from '../../src/batch/running/model'
import { systemClock } from '../../src/clock'
import { settingsFromParams } from '../../src/config'
import type { ApiHost } from '../../src/local/host/server'
import { currentActivation } from '../../src/openwhisk/activation'
import { connect } from '../../src/openwhisk/client'
import { auth, buildRuntime, clientOf, startTestHost, temporaryFolder } from './api-host'

const folder = temporaryFolder()
const calls = join(folder, 'calls')
let host: ApiHost

beforeAll(async () => {
  host = await startTestHost(buildRuntime(folder))
  await clientOf(host).packages.update({ name: 'whisklens' })
})
beforeEach(() => rmSync(calls, { force: true }))
afterAll(async () => {
  await host.close()
  rmSync(folder, { recursive: true })
})

const called = (): number => (existsSync(calls) ? readFileSync(calls).length : 0)

/** Calls {@link describeModel} with a `classify` that runs `body` on its `n`th call. */
async function ask(body: string) {
  const action = `const fs = require('fs')
    const main = () => {
      fs.appendFileSync(${JSON.stringify(calls)}, '.')
      const n = fs.statSync(${JSON.stringify(calls)}).size
      ${body}
    }`
  await clientOf(host).actions.update({ name: 'whisklens/classify', action })
  const activation = currentActivation({ __OW_ACTION_NAME: '/guest/whisklens/start-batch' })
  const openwhisk = connect({ apiHost: host.url, auth }, 0)
  const context = {
    clock: systemClock,
    random: Math.random,
    openwhisk,
    activation,
    settings: settingsFromParams({}),
  }
  return describeModel(context, 'tiny')
}

describe('asking classify which model answers', () => {
  it('retries when containers die', async () => {
    const answer = await ask(`if (n < 3) process.exit(1); return { model: 'tiny@00c0ffee' }`)
    expect(answer).toMatchObject({ modelVersion: 'tiny@00c0ffee' })
    expect(called()).toBe(3)
  })

  it('gives up when it dies every time', async () => {
    await expect(ask('process.exit(1)')).rejects.toThrow('exited unexpectedly')
    expect(called()).toBe(4)
  })

  it('accepts an error as an answer', async () => {
    await expect(ask(`return { error: 'There is no model "tiny"' }`)).rejects.toThrow('no model')
    expect(called()).toBe(1)
  })
})
