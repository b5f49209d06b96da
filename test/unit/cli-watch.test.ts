import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { progressOf } from '../../src/batch/reports/progress'
import type { ClosingBatch, OpenBatch } from '../../src/batch/state/batch'
import { documentKey, summaryKey } from '../../src/batch/state/layout'
import { deleteEntry, putEntry } from '../../src/batch/state/open'
import { beginClosing, ended } from '../../src/batch/state/transitions'
import type { BatchSummary } from '../../src/schema'
import { doneBatch, saveBatch } from './batch-fixtures'
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
const piece = { ...chunk, chunk: { ...chunk, epoch: 1 }, at: 1, attempts: 1, by: 1 }

type Changes = Parameters<typeof doneBatch>[2]

/** A batch of ten images, five of them dispatched. */
const running = (batch: string, changes: Changes = {}): OpenBatch =>
  doneBatch('photos', 10, { batch, ...changes, dispatch: { next: 5, pieces: [piece], ...changes?.dispatch } })

async function open(batch: OpenBatch): Promise<void> {
  await putEntry(store.results, batch.batch, 1)
  await saveBatch(store.results, batch)
  await put(progressOf(batch))
}

/** Ends a batch: writes its final summary, then marks `batch-completed` as fired. */
async function close(batch: OpenBatch, summary: BatchSummary): Promise<void> {
  await put(summary)
  const over = ended(
    { ...beginClosing(batch, 'complete'), revision: 1, writeId: 'w' } as ClosingBatch,
    batch.usage,
  )
  await saveBatch(store.results, { ...over, announced: true, revision: 1, writeId: 'w' })
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
  it('says what to do if no batch is open', async () => {
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
  ])('shows the summary of one that is already %s', async (state, counts, expected) => {
    await put(summaryOf('over', { state, totals: counts }))
    const { code, stdout } = await whisklens('watch', 'over')
    expect(code).toBe(expected)
    expect(stdout).toMatch(new RegExp(`^batch +over\nstate +${state}\n`))
  })

  it('prints a line for each change until the batch ends', async () => {
    const more = running('live', {
      dispatch: { next: 10, pieces: [piece, { ...piece, start: 5, end: 10 }] },
    })
    const failing = running('live', { dispatch: { next: 10, pieces: [piece], errors: 1 } })
    await open(running('live'))
    const { code, lines } = await watch(
      ['live'],
      [
        () => saveBatch(store.results, more),
        () => put(progressOf(failing)),
        () => close(more, summaryOf('live', { totals: failed })),
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

  it('selects the latest open one, or all, but no batch of uploads', async () => {
    const end = (batch: string) => () => close(running(batch), summaryOf(batch, { totals }))
    await open(running('first', { startedAt: '2026-11-20T00:00:00.000Z' }))
    await open(running('third', { startedAt: '2026-11-22T00:00:00.000Z' }))
    await open(running('second', { startedAt: '2026-11-21T00:00:00.000Z' }))
    await putEntry(store.results, 'uploads-2026-11-23', 1)
    await put(summaryOf('uploads-2026-11-23', { state: 'running', endedAt: null }))
    const newest = await watch(['--quiet'], [end('third')])
    expect(newest.lines.map(({ batch, state }) => `${batch} ${state}`)).toEqual([
      'third running',
      'third complete',
    ])
    const all = await watch(['--quiet', '--all'], [end('second'), end('first')])
    const batches = new Set(all.lines.map(({ batch }) => batch))
    expect([all.code, batches]).toEqual([0, new Set(['first', 'second'])])
  })

  it('shows the batch of uploads if no other is open', async () => {
    const day = 'uploads-2026-11-23'
    const over = async () => {
      await put(summaryOf(day, { totals }))
      await deleteEntry(store.results, day, 1)
    }
    const { code, lines } = await watch([], [over])
    expect(lines.map(({ batch, state }) => `${batch} ${state}`)).toEqual([
      `${day} running`,
      `${day} complete`,
    ])
    expect(code).toBe(0)
  })

  it.each([
    [
      'uploads-2999-01-01',
      'uploads of today',
      /^uploads-2999-01-01 receives the uploads of today until midnight UTC; /m,
    ],
    ['uploads-2026-11-22', 'uploads of 2026-11-22', /^/],
    ['nightly', 'nightly', /^/],
  ])('names %s beside its bar on a terminal', async (batch, title, expected) => {
    const terminal = join(folder.path, 'terminal.cjs')
    await writeFile(terminal, 'process.stderr.isTTY = true')
    await put(summaryOf(batch, { state: 'running', endedAt: null }))
    const child = spawn(process.execPath, ['--require', terminal, bin, 'watch', batch], {
      cwd: folder.path,
      env: { ...bareEnvironment(folder.path), ...store.env },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const closed = once(child, 'close')
    let stderr = ''
    let isOver: Promise<unknown> | undefined
    for await (const some of child.stderr.setEncoding('utf8')) {
      stderr += some
      if (stderr.includes('0/3')) isOver ??= put(summaryOf(batch, { totals }))
    }
    await isOver
    expect([await closed, stderr]).toEqual([[0, null], expect.stringMatching(expected)])
    expect(stderr).toMatch(new RegExp(`░ ${title} 0/3\\+? images`))
  })

  it('follows all to their ends if one fails', async () => {
    await open(running('sound'))
    await open(running('broken'))
    await store.results.put(documentKey('broken'), '{}')
    const watching = whisklens('watch', '--all')
    // Well after the broken one was detected.
    await sleep(3000)
    await close(running('sound'), summaryOf('sound', { totals }))
    const { code, stdout, stderr } = await watching
    expect([code, stderr]).toEqual([1, expect.stringContaining('error: ')])
    expect(stdout).toMatch(/^batch +sound\nstate +complete\n/)
    await put(summaryOf('broken'))
  })

  it.each(['watch', 'status'])('waits for one that was fired just now, as %s does', async (command) => {
    const id = `fired-${command}`
    const child = spawn(process.execPath, [bin, command, id], {
      cwd: folder.path,
      env: { ...bareEnvironment(folder.path), ...store.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const stdout = text(child.stdout)
    const closed = once(child, 'close')
    // Wait for the note that it is waiting; only then does the batch get an entry.
    await once(createInterface({ input: child.stderr }), 'line')
    await putEntry(store.results, id, 1)
    await put(summaryOf(id, { totals }))
    expect([await closed, await stdout]).toEqual([
      [0, null],
      expect.stringMatching(new RegExp(`^batch +${id}\\nstate +complete\\n`)),
    ])
  })

  it('is reported by status as not started', async () => {
    await putEntry(store.results, 'slow', 1)
    const { code, stderr } = await whisklens('status', 'slow', '--json')
    expect(code).toBe(1)
    expect(JSON.parse(stderr.split('\n').at(-2) ?? '').error).toMatchObject({
      code: 'batch_not_started',
      hint: 'Wait for it: whisklens watch slow.',
    })
  })

  it('has progress in status while open', async () => {
    await open(running('now', { dispatch: { next: 10 } }))
    expect((await whisklens('status', 'now')).stdout).toMatch(/\nprogress +5\/10 images, \d.*, 1 running\n/)
    const { progress } = JSON.parse((await whisklens('status', 'now', '--json')).stdout)
    expect(progress).toEqual({
      perSecond: expect.any(Number),
      secondsLeft: expect.any(Number),
      running: 1,
    })
  })
})
