import { recordKey, summaryKey } from '../../src/batch/state/layout'
import { run, startStore, summaryOf, temporaryFolder } from './cli-run'

const folder = temporaryFolder()
let store: Awaited<ReturnType<typeof startStore>>

beforeAll(async () => {
  store = await startStore(folder.path)
})
afterAll(() => store.close())

const whisklens = (...args: string[]) => run(folder.path, ['prune', ...args], store.env)

const days = (count: number): string => new Date(Date.now() - count * 24 * 60 * 60 * 1000).toISOString()

async function write(batch: string, endedAt: string | null): Promise<void> {
  const state = endedAt === null ? 'running' : 'complete'
  await store.results.put(summaryKey(batch), JSON.stringify(summaryOf(batch, { state, endedAt })))
  await store.results.put(`batches/${batch}/results.jsonl`, '')
}

async function batches(): Promise<string[]> {
  const names: string[] = []
  for await (const name of store.results.folders('batches/')) names.push(name)
  return names
}

const record = recordKey('m@1', { bucket: 'images', key: 'a' })

beforeEach(async () => {
  await store.results.put(record, '{}')
  await write('old', days(31))
  await write('older', days(90))
  await write('young', days(29))
  await write('open', null)
})

describe('whisklens prune', () => {
  it('requires an age', async () => {
    expect((await whisklens()).code).toBe(2)
    for (const age of ['30', '0d', '-1d', '1m', 'd', '1.5d', '100000d'])
      expect(await whisklens('--older-than', age)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('Expected an age such as 12h, 30d or 8w.'),
      })
  })

  it('deletes nothing without confirmation', async () => {
    const { code, stdout, stderr } = await whisklens('--older-than', '30d')
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^error: Cannot ask for confirmation without a terminal.*\nhint: Add --yes/)
    const asJson = await whisklens('--older-than', '30d', '--json')
    expect(JSON.parse(asJson.stderr).error.code).toBe('confirmation_needed')
    expect(await batches()).toEqual(['old', 'older', 'open', 'young'])
  })

  it('lists what it would delete', async () => {
    const { code, lines, stderr } = await whisklens('--older-than', '30d', '--dry-run')
    expect([code, stderr]).toEqual([0, '2 batches would be deleted\n'])
    expect(lines).toEqual([
      expect.stringMatching(/^batch +state +images +ended/),
      expect.stringMatching(/^old +complete +0 +\d{4}-/),
      expect.stringMatching(/^older +complete +0 +\d{4}-/),
    ])
    const { stdout } = await whisklens('--older-than', '12w', '--dry-run', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ batch: 'older', state: 'complete', removed: false })
    expect(await batches()).toEqual(['old', 'older', 'open', 'young'])
  })

  it('deletes batches of that age, and no records of images', async () => {
    const { code, lines, stderr } = await whisklens('--older-than', '30d', '--yes', '--json')
    expect([code, stderr]).toEqual([0, 'Deleted 2 batches, 6 objects\n'])
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ batch: 'old', removed: true, objects: 3 }),
      expect.objectContaining({ batch: 'older', removed: true, objects: 3 }),
    ])
    expect(await batches()).toEqual(['open', 'young'])
    expect(await store.results.head(record)).toBeDefined()
    const again = await whisklens('--older-than', '30d', '--yes')
    expect([again.code, again.stdout]).toEqual([0, ''])
    expect(again.stderr).toMatch(/^No batch ended before \d{4}-/)
  })
})
