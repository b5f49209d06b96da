import { needs } from '../helpers/needs'
import { prefix } from '../helpers/planted'
import { patience, useScenario } from '../helpers/scenario'
import { isFull } from './sizes'

jest.setTimeout(2 * patience)

const large = needs(!isFull && 'only at full size, npm run check:full')
large.describe('a batch of 12,000 images', () => {
  const scenario = useScenario(12_000)

  it('is closed in several segments under the documented policy of the actions', async () => {
    await scenario.start({})
    await scenario.clients.fire('large', { prefix })
    await scenario.expectExactlyOnce('large')
    const { segments, status } = JSON.parse((await scenario.clients.read('batches/large/batch.json')) ?? '')
    expect(status).toBe('complete')
    expect(segments.length).toBeGreaterThan(1)
    expect(await scenario.clients.keys('batches/large/closing/')).toEqual([])
  })
})
