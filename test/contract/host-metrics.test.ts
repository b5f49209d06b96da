import { rmSync } from 'node:fs'
import { type ParsedFamily, parseOpenMetrics, valuesOf } from '../helpers/openmetrics'
import { buildRuntime, clientOf, eventually, startTestHost, temporaryFolder } from './api-host'

let folder: string
let host: Awaited<ReturnType<typeof startTestHost>>

beforeAll(async () => {
  folder = temporaryFolder()
  host = await startTestHost(buildRuntime(folder), {
    limits: { invocationsPerMinute: 4, concurrentInvocations: 30, firesPerMinute: 1 },
    metrics: async () => [{ name: 'more', type: 'gauge', help: 'More', samples: [{ value: 7 }] }],
    // Constant, so that the rate limits do not depend on when the test runs.
    now: () => Date.parse('2026-11-29T10:00:00Z'),
  })
})
afterAll(async () => {
  await host.close()
  rmSync(folder, { recursive: true })
})

async function scrape(): Promise<ParsedFamily[]> {
  const answer = await fetch(`${host.url}/metrics`)
  expect(answer.headers.get('content-type')).toBe(
    'application/openmetrics-text; version=1.0.0; charset=utf-8',
  )
  return parseOpenMetrics(await answer.text())
}

it('A host reports its activations, containers, throttles and additional metrics', async () => {
  const ow = clientOf(host)
  expect(valuesOf(await scrape(), 'whisklens_host_containers')).toEqual({ '': 0 })
  await ow.actions.update({ name: 'good', action: 'const main = () => ({})' })
  await ow.actions.update({ name: 'bad', action: 'const main = () => ({ error: "no" })' })
  const run = (name: string) =>
    ow.actions.invoke({ name, blocking: true }).catch(({ statusCode }) => statusCode)
  for (const name of ['good', 'good', 'bad']) await run(name)
  await ow.actions.invoke({ name: 'good' })
  expect(await run('good')).toBe(429)
  await ow.triggers.update({ name: 'event' } as never)
  const fire = () => ow.triggers.invoke({ name: 'event' }).catch(({ statusCode }) => statusCode)
  await fire()
  expect([await fire(), await fire()]).toEqual([429, 429])
  const families = await eventually(async () => {
    const found = await scrape()
    expect(valuesOf(found, 'whisklens_host_activations_in_flight')).toEqual({ '': 0 })
    return found
  })
  expect(valuesOf(families, 'whisklens_host_activations')).toEqual({
    'guest/good success': 3,
    'guest/bad application error': 1,
  })
  expect(Object.keys(valuesOf(families, 'whisklens_host_activation_seconds'))).toEqual([
    'guest/good',
    'guest/bad',
  ])
  expect(valuesOf(families, 'whisklens_host_throttles')).toEqual({ invocations: 1, fires: 2 })
  expect(valuesOf(families, 'whisklens_host_containers')['']).toBeGreaterThanOrEqual(1)
  expect(valuesOf(families, 'more')).toEqual({ '': 7 })
})
