import { eventually } from '../helpers/local-mode'
import { prefix } from '../helpers/planted'
import { patience, useScenario } from '../helpers/scenario'
import { dyingContainers, everything, failingStore, images } from './sizes'

jest.setTimeout(2 * patience)
const scenario = useScenario(images)

/** Expects nothing left to do, in the same batch or another one. */
async function expectNothingLeft(batch: string): Promise<void> {
  scenario.calm()
  const { clients, expected } = scenario
  const parts = await clients.keys(`batches/${batch}/parts/`)
  const results = await clients.read(`batches/${batch}/results.jsonl`)
  const { totals } = await scenario.runBatch(batch)
  expect(totals).toEqual({ ...expected.summary.totals, skipped: images })
  expect(await clients.keys(`batches/${batch}/parts/`)).toEqual(parts)
  expect(await clients.read(`batches/${batch}/results.jsonl`)).toBe(results)
  await scenario.expectAllRecorded()
}

describe('a batch ends every image exactly once', () => {
  it.each([
    ['containers are killed', dyingContainers],
    ['the store fails', failingStore],
    ['containers are killed and the store fails', everything],
  ])('while %s', async (_, chaos) => {
    await scenario.start(chaos)
    await scenario.clients.fire('chaos', { prefix })
    await scenario.expectExactlyOnce('chaos')
    await expectNothingLeft('chaos')
  })

  it.each([
    ['', {}],
    [', while containers are killed and the store fails', everything],
  ])('when the host is killed half-way and restarted%s', async (_, chaos) => {
    await scenario.start(chaos)
    await scenario.clients.fire('chaos', { prefix })
    const done = async () => (await scenario.clients.summaryOf('chaos'))?.totals.ok ?? 0
    await eventually(async () => (await done()) > images / 2, 'half of the batch', patience)
    await scenario.stop('SIGKILL')
    await scenario.start(chaos)
    await scenario.expectExactlyOnce('chaos')
    await expectNothingLeft('chaos')
  })
})
