import { newestIds } from '../../batch/reports/newest'
import { listBatches } from '../../batch/reports/results'
import { readSummary } from '../../batch/reports/summary-object'
import { engineSettings } from '../../classifier/engines/names'
import { type ErrorCode, errorCodes, errorKind } from '../../error-codes'
import { catalogue } from '../../models/catalogue'
import { modelNames } from '../../models/installed'
import type { Bucket } from '../../storage/store'
import { needStore, resolveConnection } from '../shared/connection'
import { plural } from '../shared/output'
import type { Candidate, Completion, Given, Values } from './candidates'

/** Timeout of the object store, milliseconds. */
const timeout = 1000

const idsShown = 50

const none: Completion = { candidates: [], files: 'none' }
const files: Completion = { candidates: [], files: 'files' }
const folders: Completion = { candidates: [], files: 'folders' }

/** Completions per placeholder of the help. Others are free text or numbers. */
const placeholders: Record<string, (given: Given) => Promise<Completion> | Completion> = {
  id: async ({ options }) => ({ ...none, candidates: await inTime(batchIds(options)) }),
  label: async ({ options }) => ({ ...none, candidates: await inTime(newestLabels(options)) }),
  code: () => ({ ...none, candidates: codesOfImages }),
  model: models,
  engine: () => ({ ...none, candidates: engineSettings.map((value) => ({ value })) }),
  file: () => files,
  list: () => files,
  images: () => files,
  paths: () => files,
  input: () => files,
  folder: () => folders,
  output: () => folders,
}

/** {@link placeholders}; empty on any error. */
export const valuesOf: Values = async (placeholder, given) => {
  const values = Object.hasOwn(placeholders, placeholder) ? placeholders[placeholder] : undefined
  try {
    return (await values?.(given)) ?? none
  } catch {
    // An error message would garble the command line.
    return none
  }
}

async function models({ command }: Given): Promise<Completion> {
  const names = await modelNames()
  const named = (wanted: typeof names) => wanted.map(({ name, origin }) => ({ value: name, about: origin }))
  if (command === 'model remove')
    return { ...none, candidates: named(names.filter(({ origin }) => origin === 'added')) }
  if (command !== 'model add') return { ...folders, candidates: named(names) }
  return { ...files, candidates: catalogue.map(({ id, about }) => ({ value: id, about })) }
}

const codesOfImages: Candidate[] = (Object.keys(errorCodes) as ErrorCode[])
  .map((value) => ({ value, ...errorKind(value) }))
  .filter(({ image }) => image)
  .map(({ value, when }) => ({ value, about: when }))

async function inTime(candidates: Promise<Candidate[]>): Promise<Candidate[]> {
  const late = new Promise<Candidate[]>((resolve) => setTimeout(resolve, timeout, []))
  return Promise.race([late, candidates])
}

async function resultsBucket(options: Given['options']): Promise<Bucket> {
  const connection = await resolveConnection({ data: options['--data'] })
  return needStore(connection).bucket(connection.settings.resultsBucket)
}

async function newest(results: Bucket, limit: number): Promise<string[]> {
  const ids: string[] = []
  for await (const id of listBatches(results)) ids.push(id)
  return newestIds(ids, limit)
}

const batchIds = async (options: Given['options']): Promise<Candidate[]> =>
  (await newest(await resultsBucket(options), idsShown)).map((value) => ({ value }))

/** The top labels of the newest batch, most frequent first. */
async function newestLabels(options: Given['options']): Promise<Candidate[]> {
  const results = await resultsBucket(options)
  const [batch = ''] = await newest(results, 1)
  const { labels = [] } = (await readSummary(results, batch)) ?? {}
  return labels.map(({ label, count }) => ({ value: label, about: plural(count, 'image') }))
}
