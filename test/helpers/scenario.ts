import type { BatchSummary } from '../../src/schema'
import { type Chaos, type ChaosOptions, startChaos } from './chaos'
import { type Clients, clientsOf } from './clients'
import { eventually, type RunningLocal, removeDataDir, startLocalMode, whisklens } from './local-mode'
import { firstDifference, newestRecords, outcomeOf, type Planted, plant, prefix } from './planted'

/** Timeout of a broken run, milliseconds. */
export const patience = 3_600_000

/** For each test of a file: a local mode over the same planted images, and the final checks. */
export interface Scenario {
  clients: Clients
  expected: Planted['expected']
  /** @param args arguments of `whisklens up` */
  start(chaos: ChaosOptions, ...args: string[]): Promise<void>
  stop(signal?: NodeJS.Signals): Promise<void>
  /** Stops injecting faults. */
  calm(): void
  /** Adds to the notes printed at the end. */
  note(what: object): void
  /**
   * Runs a batch of the planted images; fires again if start-batch was refused, or killed before it had written a plan.
   */
  runBatch(batch: string): Promise<BatchSummary>
  /** Runs a Whisklens command against the local mode. */
  whisklens(...args: string[]): ReturnType<typeof whisklens>
  /** Waits for a batch of all images, and expects each image in it exactly once. */
  expectExactlyOnce(batch: string): Promise<void>
  /** Expects a record for each image, so that another batch has nothing to do. */
  expectAllRecorded(): Promise<void>
}

/** Registers the hooks of a test file. */
export function useScenario(images: number): Scenario {
  let planted: Planted
  let dataDir: string
  let local: RunningLocal
  let chaos: Chaos
  let notes: object[]
  let began: number

  const scenario: Scenario = {
    clients: undefined as unknown as Clients,
    expected: undefined as unknown as Planted['expected'],
    async start(options, ...args) {
      local = await startLocalMode(dataDir, ...args)
      scenario.clients = clientsOf(local.connection)
      chaos = await startChaos(local, options)
    },
    async stop(signal) {
      await local.stop(signal)
      notes.push(chaos.faults())
      await chaos.close()
    },
    calm: () => chaos.calm(),
    note: (what) => notes.push(what),
    runBatch: (batch) =>
      eventually(
        async () => {
          const { code, stdout } = await scenario.whisklens('batch', prefix, '--batch', batch, '--json')
          // Exit code 3: some images are in error.
          return (code === 0 || code === 3) && (JSON.parse(stdout) as BatchSummary)
        },
        `batch ${batch}`,
        patience,
      ),
    whisklens: (...args) => whisklens(args, { WHISKLENS_DATA: dataDir }),
    async expectExactlyOnce(batch) {
      await scenario.clients.completed(batch, patience)
      const { results, errors, summary } = await outcomeOf(batch, scenario.clients)
      expect(summary).toEqual(planted.expected.summary)
      expect(firstDifference(results, planted.expected.results)).toBeUndefined()
      expect(firstDifference(errors, planted.expected.errors)).toBeUndefined()
    },
    async expectAllRecorded() {
      const records = await newestRecords(scenario.clients)
      expect(firstDifference(records, planted.expected.results)).toBeUndefined()
      const { totals } = await scenario.runBatch('nothing')
      expect(totals).toMatchObject({ listed: images, planned: 0, skipped: images })
    },
  }

  beforeAll(async () => {
    planted = await plant(images)
    scenario.expected = planted.expected
  }, patience)
  afterAll(() => planted.remove())
  beforeEach(async () => {
    dataDir = await planted.copy()
    notes = []
    began = Date.now()
  })
  afterEach(async () => {
    await scenario.stop()
    await removeDataDir(dataDir)
    const { currentTestName } = expect.getState()
    const seconds = Math.round((Date.now() - began) / 1000)
    process.stderr.write(`${currentTestName}: ${images} images, ${seconds} s, ${JSON.stringify(notes)}\n`)
  })
  return scenario
}
