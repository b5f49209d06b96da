import pLimit from 'p-limit'
import { eventually } from '../helpers/local-mode'
import { keyOf, prefix } from '../helpers/planted'
import { patience, useScenario } from '../helpers/scenario'
import { isFull } from './sizes'

/*
 * A host with an OpenWhisk server's default limits: 60 invocations and 60 fires a minute, 30 concurrent. Each test
 * exceeds them.
 */

const images = isFull ? 200 : 120

jest.setTimeout(2 * patience)
const scenario = useScenario(images)

/** Number of invocations of start-batch that the platform refused, according to its logs. */
async function refusals(): Promise<number> {
  const query = { name: 'whisklens/start-batch', limit: 200, docs: true }
  const found = await scenario.clients.ow.activations.list(query as never)
  const lines = (found as unknown as { logs: string[] }[]).flatMap(({ logs }) => logs)
  return lines.filter((line) => line.includes('the platform refused an invocation')).length
}

it('completes a batch with more invocations than the limit, every image exactly once', async () => {
  await scenario.start({}, '--limits', 'openwhisk')
  await scenario.clients.fire('throttled', { prefix, chunkSize: 1 })
  await scenario.expectExactlyOnce('throttled')
  await scenario.expectAllRecorded()
  const refused = await refusals()
  scenario.note({ refused })
  expect(refused).toBeGreaterThan(0)
})

it('classifies images of throttled events, of which some were accepted', async () => {
  await scenario.start({}, '--limits', 'openwhisk')
  const { clients } = scenario
  // The images are older than the feed.
  const feeds = clients.ow.feeds as unknown as { update(options: object): Promise<unknown> }
  const params = { since: '2026-01-01' }
  await feeds.update({ name: 'whisklens/bucket-feed', trigger: 'image-uploaded', params })
  // One event per message, without retries, like simple stores.
  const limit = pLimit(4)
  const post = (number: number) => clients.postEvents([keyOf(number)])
  const taken = await Promise.all(Array.from({ length: images }, (_, number) => limit(post, number)))
  const refused = taken.filter((ok) => !ok).length
  scenario.note({ refused })
  expect(refused).toBeGreaterThan(0)
  const recorded = async () => (await clients.keys('images/')).length === images
  await eventually(recorded, 'all records', patience)
  await scenario.expectAllRecorded()
})
