import { newestIds } from '../../batch/reports/newest'
import { listBatches } from '../../batch/reports/results'
import { engineSettings } from '../../classifier/engines/names'
import { catalogue } from '../../models/catalogue'
import { modelNames } from '../../models/installed'
import { needStore, resolveConnection } from '../shared/connection'
import type { Candidate, Completion, Given, Values } from './candidates'

/** Timeout of the object store, milliseconds. */
const patience = 1000

const idsShown = 50

const none: Completion = { candidates: [], files: 'none' }
const files: Completion = { candidates: [], files: 'files' }
const folders: Completion = { candidates: [], files: 'folders' }

/** Completions per placeholder of the help. Others are free text or numbers. */
const placeholders: Record<string, (given: Given) => Promise<Completion> | Completion> = {
  id: async (given) => ({ ...none, candidates: await batches(given) }),
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

async function batches({ options }: Given): Promise<Candidate[]> {
  const late = new Promise<Candidate[]>((resolve) => setTimeout(resolve, patience, []))
  return Promise.race([late, listed(options)])
}

async function listed(options: Given['options']): Promise<Candidate[]> {
  const flags = { data: options['--data'], apihost: options['--apihost'], auth: options['--auth'] }
  const connection = await resolveConnection(flags)
  const ids: string[] = []
  for await (const id of listBatches(needStore(connection).bucket(connection.settings.resultsBucket)))
    ids.push(id)
  return newestIds(ids, idsShown).map((value) => ({ value }))
}
