import pLimit from 'p-limit'
import { parseLines } from '../helpers/clients'
import { eventually } from '../helpers/local-mode'
import { essence, firstDifference, imageOf, keyOf, newestRecords, outcomeOf } from '../helpers/planted'
import { patience, useScenario } from '../helpers/scenario'
import { everything, images } from './sizes'

jest.setTimeout(2 * patience)
const scenario = useScenario(images)

const eventsPerMessage = 20

/** Posts every event twice in random order, several per message; retries until accepted. */
async function postEventsTwice(): Promise<void> {
  const keys = Array.from({ length: 2 * images }, (_, number) => keyOf(number % images))
    .map((key) => ({ key, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ key }) => key)
  const limit = pLimit(2)
  const post = (message: string[]) => eventually(() => scenario.clients.postEvents(message), 'bucket-events')
  const messages = Array.from({ length: keys.length / eventsPerMessage }, (_, index) =>
    keys.slice(index * eventsPerMessage, (index + 1) * eventsPerMessage),
  )
  await Promise.all(messages.map((message) => limit(post, message)))
}

describe('duplicate and shuffled events', () => {
  it('leave one record per image', async () => {
    await scenario.start({})
    await postEventsTwice()
    const { clients, expected } = scenario
    const reported = async () => {
      const [day = ''] = await clients.keys('batches/uploads-')
      const id = day.split('/')[1] ?? ''
      const { ok, error } = (await clients.summaryOf(id))?.totals ?? { ok: 0, error: 0 }
      // While the day's batch is open, duplicates are counted.
      return ok + error >= 2 * images && id
    }
    const day = await eventually(reported, 'all reports', patience)
    const { stdout } = await scenario.whisklens('results', day, '--json')
    expect(parseLines(stdout)).toHaveLength(images)
    expect(firstDifference(essence(stdout), expected.results)).toBeUndefined()
    await scenario.expectAllRecorded()
  })

  it('leave nothing undone after a batch, while containers are killed and the store fails', async () => {
    await scenario.start(everything)
    await postEventsTwice()
    await scenario.runBatch('after')
    scenario.calm()
    await scenario.expectAllRecorded()
  })
})

it('uploads during which the host is killed leave nothing undone after a batch', async () => {
  await scenario.start({})
  const limit = pLimit(4)
  const upload = async (number: number) => scenario.clients.upload(`new/${number}`, await imageOf(number))
  await Promise.all(Array.from({ length: images }, (_, number) => limit(upload, number)))
  const recorded = async () => (await scenario.clients.keys('images/')).length
  await eventually(async () => (await recorded()) > images / 2, 'half of the uploads', patience)
  await scenario.stop('SIGKILL')
  await scenario.start({})
  const { clients } = scenario
  await clients.fire('after', { prefix: 'new/' })
  await clients.completed('after', patience)
  const records = await newestRecords(clients)
  await clients.fire('calm', { prefix: 'new/', force: true })
  await clients.completed('calm', patience)
  const { results } = await outcomeOf('calm', clients)
  expect(results).toHaveLength(images)
  expect(firstDifference(records, results)).toBeUndefined()
})
