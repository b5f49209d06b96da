import pLimit from 'p-limit'
import { eventually } from '../helpers/local-mode'
import { keyOf, prefix } from '../helpers/planted'
import { patience, useScenario } from '../helpers/scenario'
import { isFull } from './sizes'

/*
 * A host that takes 60 invocations and 60 fires a minute, 30 at a time, as an OpenWhisk server does until its operator
 * raises that. More than that is asked for in each test.
 */

const images = isFull ? 200 : 120

jest.setTimeout(2 * patience)
const scenario = useScenario(images)

/** How often a batch was told that there is no room; its activations' logs say so. */
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
  // The images lie there since before anything watched their bucket.
  const feeds = clients.ow.feeds as unknown as { update(options: object): Promise<unknown> }
  const params = { since: '2026-01-01' }
  await feeds.update({ name: 'whisklens/bucket-feed', trigger: 'image-uploaded', params })
  // One event a message and never again, as simple stores send them.
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
