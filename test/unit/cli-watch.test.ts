import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { planKey, summaryKey } from '../../src/batch/layout'
import type { Plan } from '../../src/batch/plan/plan'
import { markOpen } from '../../src/batch/run/open'
import { progressOf } from '../../src/batch/summary/progress'
import type { BatchSummary } from '../../src/schema'
import { planOf, savePlan } from './batch-fixtures'
import { bareEnvironment, bin, run, startStore, summaryOf, temporaryFolder } from './cli-run'

const folder = temporaryFolder()
let store: Awaited<ReturnType<typeof startStore>>

beforeAll(async () => {
  store = await startStore(folder.path)
})
afterAll(() => store.close())

const whisklens = (...args: string[]) => run(folder.path, args, store.env)

const put = (summary: BatchSummary) => store.results.put(summaryKey(summary.batch), JSON.stringify(summary))

const chunk = { start: 0, end: 5 }
const piece = { ...chunk, chunk, at: 1, attempts: 1 }

/** The plan of a batch of ten images, five of which are under way. */
const runningPlan = (batch: string, changes: Partial<Plan> = {}): Plan =>
  planOf(
    'photos',
    {},
    { batch, planned: 10, listed: 10, next: 5, done: true, outstanding: [piece], ...changes },
  )

async function open(plan: Plan): Promise<void> {
  await markOpen(store.results, plan.batch)
  await savePlan(store.results, plan)
  await put(progressOf(plan))
}

const totals = { listed: 10, planned: 10, skipped: 0, ok: 10, error: 0, pending: 0 }
const failed = { ...totals, ok: 9, error: 1 }

/** Runs `whisklens watch --json`, and calls the next of `changes` after each line. */
async function watch(args: string[], changes: (() => Promise<unknown>)[]) {
  const child = spawn(process.execPath, [bin, 'watch', '--json', ...args], {
    cwd: folder.path,
    env: { ...bareEnvironment(folder.path), ...store.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close')
  const lines: (BatchSummary & { progress?: { running: number } })[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(JSON.parse(line))
    await changes[lines.length - 1]?.()
  }
  const [code] = await closed
  return { code, lines }
}

describe('whisklens watch', () => {
  it('says what there is to do when no batch is open', async () => {
    await put(summaryOf('over'))
    for (const options of [[], ['--all']]) {
      const { code, stderr } = await whisklens('watch', ...options)
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/^error: No batch is open\nhint: Start one: .*\n$/),
      ])
    }
    const { code, stderr } = await whisklens('watch', 'nosuch')
    expect([code, stderr]).toEqual([1, expect.stringContaining('There is no batch "nosuch"')])
  })

  it.each<[BatchSummary['state'], BatchSummary['totals'], number]>([
    ['complete', totals, 0],
    ['complete', failed, 3],
    ['cancelled', totals, 1],
    ['stopped', failed, 1],
  ])('shows the summary of one that is %s already', async (state, counts, expected) => {
    await put(summaryOf('over', { state, totals: counts }))
    const { code, stdout } = await whisklens('watch', 'over')
    expect(code).toBe(expected)
    expect(stdout).toMatch(new RegExp(`^batch +over\nstate +${state}\n`))
  })

  it('prints a line for each change until the batch is over', async () => {
    const more = runningPlan('live', { next: 10, outstanding: [piece, { ...piece, start: 5, end: 10 }] })
    await open(runningPlan('live'))
    const { code, lines } = await watch(
      ['live'],
      [
        () => savePlan(store.results, more),
        () => put(progressOf({ ...more, outstanding: [piece], errors: 1 })),
        () => put(summaryOf('live', { totals: failed })),
      ],
    )
    const seen = lines.map(({ totals: { ok, error }, progress }) => ({
      ok,
      error,
      running: progress?.running,
    }))
    expect(seen).toEqual([
      { ok: 0, error: 0, running: 1 },
      { ok: 0, error: 0, running: 2 },
      { ok: 4, error: 1, running: 2 },
      { ok: 9, error: 1, running: undefined },
    ])
    expect(lines.at(-1)).toEqual(summaryOf('live', { totals: failed }))
    expect(code).toBe(3)
  })

  it('chooses the newest that is open, or all, but no day of uploads', async () => {
    const close = (batch: string) => () => put(summaryOf(batch, { totals }))
    await open(runningPlan('first', { startedAt: '2026-11-20T00:00:00.000Z' }))
    await open(runningPlan('third', { startedAt: '2026-11-22T00:00:00.000Z' }))
    await open(runningPlan('second', { startedAt: '2026-11-21T00:00:00.000Z' }))
    await markOpen(store.results, 'uploads-2026-11-23')
    await put(summaryOf('uploads-2026-11-23', { state: 'running', endedAt: null }))
    const newest = await watch(['--quiet'], [close('third')])
    expect(newest.lines.map(({ batch, state }) => `${batch} ${state}`)).toEqual([
      'third running',
      'third complete',
    ])
    const all = await watch(['--quiet', '--all'], [close('second'), close('first')])
    const batches = new Set(all.lines.map(({ batch }) => batch))
    expect([all.code, batches]).toEqual([0, new Set(['first', 'second'])])
  })

  it('sees all to their ends when one cannot be followed', async () => {
    await open(runningPlan('sound'))
    await open(runningPlan('broken'))
    await store.results.put(planKey('broken'), '{}')
    const watching = whisklens('watch', '--all')
    // Only a while after the other was found broken.
    await sleep(3000)
    await put(summaryOf('sound', { totals }))
    const { code, stdout, stderr } = await watching
    expect([code, stderr]).toEqual([1, expect.stringContaining('error: ')])
    expect(stdout).toMatch(/^batch +sound\nstate +complete\n/)
    await put(summaryOf('broken'))
  })

  it('waits for one that was fired just now, of which status says so', async () => {
    const watching = whisklens('watch', 'fired')
    await markOpen(store.results, 'fired')
    const { code, stderr } = await whisklens('status', 'fired')
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('The batch fired was fired and is about to begin'),
    ])
    await put(summaryOf('fired', { totals }))
    expect(await watching).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^batch +fired\nstate +complete\n/),
    })
  })

  it('tells in status how an open batch gets on', async () => {
    await open(runningPlan('now', { next: 10, outstanding: [piece] }))
    expect((await whisklens('status', 'now')).stdout).toMatch(/\nprogress +5\/10 images, \d.*, 1 running\n/)
    const { progress } = JSON.parse((await whisklens('status', 'now', '--json')).stdout)
    expect(progress).toEqual({
      perSecond: expect.any(Number),
      secondsLeft: expect.any(Number),
      running: 1,
    })
  })
})
