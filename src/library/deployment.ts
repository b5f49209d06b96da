import { readLabelView } from '../batch/reports/labels-file'
import { newestBatches } from '../batch/reports/newest'
import { matches } from '../batch/reports/query'
import { readResults } from '../batch/reports/results'
import { parseBatchRequest } from '../batch/running/request'
import { isUploads } from '../batch/uploads/day'
import { InvalidInputError } from '../errors'
import { modelsLabels } from '../labels/view'
import { batchIdSchema } from '../schema'
import type { Bucket } from '../storage/store'
import { cancelBatch, type Fired, fireBatch, newBatchId, resultsBucketOf } from './batches/fire'
import { alreadyStarted, followBatch, progressOf, waitForSummary } from './batches/follow'
import { type Connection, resolveConnection } from './connection'
import { connectionSchema, filterSchema, parseOptions } from './options'
import type { ConnectionOptions } from './types/connection'
import type { Batch, Deployment, RecordFilter, WaitOptions } from './types/deployment'
import type { BatchSummary, ImageRecord } from './types/record'

/** @see openDeployment in index.ts */
export async function openDeployment(options?: ConnectionOptions): Promise<Deployment> {
  const connection = await resolveConnection(parseOptions(connectionSchema, options))
  const results = resultsBucketOf(connection)
  return {
    startBatch: async (request = {}) => {
      const batch = request.batch ?? newBatchId()
      const parameters = { ...request, since: isoOf(request.since), until: isoOf(request.until), batch }
      parseBatchRequest(parameters)
      return new DeployedBatch(batch, connection, results, await fireBatch(parameters, connection))
    },
    batch: (id) => new DeployedBatch(parseId(id), connection, results),
    batches: (limit = 20) => newestBatches(results, limit),
  }
}

const isoOf = (time: Date | string | undefined) => (time instanceof Date ? time.toISOString() : time)

function parseId(id: string): string {
  const { success } = batchIdSchema.safeParse(id)
  if (success) return id
  throw new InvalidInputError('bad_parameter', `Invalid batch id ${JSON.stringify(id)}`)
}

class DeployedBatch implements Batch {
  readonly id: string
  readonly #connection: Connection
  readonly #results: Bucket
  /** The latest run started through this object. */
  #fired: Fired | undefined

  constructor(id: string, connection: Connection, results: Bucket, fired?: Fired) {
    this.id = id
    this.#connection = connection
    this.#results = results
    this.#fired = fired
  }

  summary(): Promise<BatchSummary> {
    return waitForSummary(this.#results, this.id)
  }

  async wait(options: WaitOptions = {}): Promise<BatchSummary> {
    if (!this.#fired) await this.summary()
    return this.#follow(this.#fired, options)
  }

  async cancel(): Promise<BatchSummary> {
    await this.#needFired()
    return this.#follow(await cancelBatch(this.id, this.#connection))
  }

  async retry(): Promise<void> {
    await this.#needFired()
    this.#fired = await fireBatch({ batch: this.id, retry: true }, this.#connection)
  }

  async *records(filter?: RecordFilter): AsyncGenerator<ImageRecord, void, undefined> {
    const { modelLabels = false, ...query } = parseOptions(filterSchema, filter)
    const isWanted = matches(query)
    const view = modelLabels ? modelsLabels : await readLabelView(this.#results)
    for await (const record of readResults(this.#results, this.id, view)) if (isWanted(record)) yield record
  }

  /** The uploads of a day can be neither cancelled nor retried. */
  async #needFired(): Promise<void> {
    if (isUploads(this.id))
      throw new InvalidInputError(
        'bad_parameter',
        `${this.id}: a batch of uploads closes by itself after midnight UTC`,
      )
    await this.summary()
  }

  #follow(fired: Fired | undefined, { onProgress, signal }: WaitOptions = {}): Promise<BatchSummary> {
    return followBatch(this.#results, this.id, fired?.before ?? alreadyStarted, {
      onProgress: (summary, batch) => {
        const { done, total, errors, isGrowing = false, running = 0 } = progressOf(summary, batch)
        onProgress?.({ done, total, errors, isGrowing, running, summary })
      },
      failure: fired?.failure,
      signal,
      // Hours without an upload are normal.
      ...(isUploads(this.id) && { changesWithin: Number.POSITIVE_INFINITY }),
    })
  }
}
