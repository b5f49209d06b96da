import { appendFileSync, existsSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { log } from '../../log'
import type { KeyValue } from './entities'
import { megabyte } from './limits'
import { badRequest, notFound } from './refusals'
import { type ActivationResponse, errorResponse } from './response'

export interface Activation {
  activationId: string
  namespace: string
  name: string
  version: string
  subject: string
  publish: boolean
  /** Activation id of the sequence, for its components. */
  cause?: string
  start: number
  /** Not for triggers. */
  end?: number
  duration?: number
  annotations: KeyValue[]
  logs: string[]
  response: ActivationResponse
}

/** An activation at its start. */
export type Started = Pick<
  Activation,
  'activationId' | 'namespace' | 'name' | 'version' | 'subject' | 'publish' | 'cause' | 'start'
>

/** Record of an activation that was running when the host was killed. */
const interrupted = (started: Started): Activation => ({
  ...started,
  end: started.start,
  duration: 0,
  annotations: [],
  logs: [],
  response: errorResponse('whisk internal error', 'The host was stopped while the activation ran.'),
})

/** Entries of a JSON Lines file with their sizes. */
function* entriesIn(file: string): Generator<{ entry: Activation | Started; bytes: number }> {
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const entry = entryOf(line)
    if (entry) yield { entry, bytes: Buffer.byteLength(line) }
  }
}

function entryOf(line: string): Activation | Started | undefined {
  try {
    return line ? JSON.parse(line) : undefined
  } catch {
    // A killed host may have left an incomplete line.
    return undefined
  }
}

const maxKept = 10_000
const maxBytes = 128 * megabyte

/**
 * Recent activations, stored in two JSON Lines files. When the newer one is full it replaces the older one, so that nothing is
 * rewritten.
 */
export class Activations {
  private readonly byId = new Map<string, { activation: Activation; bytes: number }>()
  private bytes = 0
  private newest = { lines: 0, bytes: 0 }
  private readonly files: { newer: string; older: string }

  constructor(folder: string) {
    this.files = { newer: join(folder, 'activations.jsonl'), older: join(folder, 'activations.older.jsonl') }
    const started = new Map<string, Started>()
    for (const file of [this.files.older, this.files.newer].filter(existsSync)) {
      this.newest = { lines: 0, bytes: 0 }
      for (const { entry, bytes } of entriesIn(file)) {
        if ('response' in entry) this.keep(entry, bytes)
        else started.set(entry.activationId, entry)
      }
    }
    for (const [id, entry] of started) if (!this.byId.has(id)) this.add(interrupted(entry))
  }

  /** Records the start of an activation, so that a restarted host can report those that a kill interrupted. */
  begin(started: Started): void {
    appendFileSync(this.files.newer, `\n${JSON.stringify(started)}`)
  }

  add(activation: Activation): void {
    const { newer, older } = this.files
    if (this.newest.lines >= maxKept / 2 || this.newest.bytes >= maxBytes / 2) {
      renameSync(newer, older)
      this.newest = { lines: 0, bytes: 0 }
    }
    const line = JSON.stringify(activation)
    this.keep(activation, Buffer.byteLength(line))
    try {
      // Line feed first: it ends an incomplete line of a killed host.
      appendFileSync(newer, `\n${line}`)
    } catch (err) {
      log.error({ err }, 'could not save an activation')
    }
  }

  get(id: string): Activation {
    if (id.length !== 32) throw badRequest(`Activation id length is ${id.length} but must be 32.`)
    if (!/^[0-9a-f]{32}$/.test(id)) throw badRequest('The activation id is not valid.')
    const found = this.byId.get(id)
    if (found) return found.activation
    throw notFound()
  }

  /** Latest first. */
  list(): Activation[] {
    return [...this.byId.values()].map(({ activation }) => activation).sort((a, b) => b.start - a.start)
  }

  private keep(activation: Activation, bytes: number): void {
    this.newest = { lines: this.newest.lines + 1, bytes: this.newest.bytes + bytes }
    this.byId.set(activation.activationId, { activation, bytes })
    this.bytes += bytes
    for (const [id, oldest] of this.byId) {
      if (this.byId.size <= maxKept && this.bytes <= maxBytes) return
      this.byId.delete(id)
      this.bytes -= oldest.bytes
    }
  }
}
