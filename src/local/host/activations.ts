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
  /** The activation of the sequence this one is a component of. */
  cause?: string
  start: number
  /** Triggers' activations have no end. */
  end?: number
  duration?: number
  annotations: KeyValue[]
  logs: string[]
  response: ActivationResponse
}

/** What is known of an activation before it ends. */
export type Begun = Pick<
  Activation,
  'activationId' | 'namespace' | 'name' | 'version' | 'subject' | 'publish' | 'cause' | 'start'
>

/** The record of an activation that was under way when the host was killed. */
const cutOff = (begun: Begun): Activation => ({
  ...begun,
  end: begun.start,
  duration: 0,
  annotations: [],
  logs: [],
  response: errorResponse('whisk internal error', 'The host was stopped while the activation ran.'),
})

/** What a file of JSON lines holds, with the bytes that each line takes. */
function* entriesIn(file: string): Generator<{ entry: Activation | Begun; bytes: number }> {
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const entry = entryOf(line)
    if (entry) yield { entry, bytes: Buffer.byteLength(line) }
  }
}

function entryOf(line: string): Activation | Begun | undefined {
  try {
    return line ? JSON.parse(line) : undefined
  } catch {
    // A host that was killed may have left half a line.
    return undefined
  }
}

const maxKept = 10_000
const maxBytes = 128 * megabyte

/**
 * The activations of late, kept in a folder: in two files of JSON lines, the older of which goes when the newer is
 * full, so that nothing is ever rewritten.
 */
export class Activations {
  private readonly byId = new Map<string, { activation: Activation; bytes: number }>()
  private bytes = 0
  private newest = { lines: 0, bytes: 0 }
  private readonly files: { newer: string; older: string }

  constructor(folder: string) {
    this.files = { newer: join(folder, 'activations.jsonl'), older: join(folder, 'activations.older.jsonl') }
    const begun = new Map<string, Begun>()
    for (const file of [this.files.older, this.files.newer].filter(existsSync)) {
      this.newest = { lines: 0, bytes: 0 }
      for (const { entry, bytes } of entriesIn(file)) {
        if ('response' in entry) this.keep(entry, bytes)
        else begun.set(entry.activationId, entry)
      }
    }
    for (const [id, entry] of begun) if (!this.byId.has(id)) this.add(cutOff(entry))
  }

  /** Remembers what is under way: should the host be killed, its successor knows that it came to nothing. */
  begin(begun: Begun): void {
    appendFileSync(this.files.newer, `\n${JSON.stringify(begun)}`)
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
      // The line feed comes first: it ends what a killed host may have left.
      appendFileSync(newer, `\n${line}`)
    } catch (err) {
      log.error({ err }, 'an activation could not be kept on disk')
    }
  }

  get(id: string): Activation {
    if (id.length !== 32) throw badRequest(`Activation id length is ${id.length} but must be 32.`)
    if (!/^[0-9a-f]{32}$/.test(id)) throw badRequest('The activation id is not valid.')
    const found = this.byId.get(id)
    if (found) return found.activation
    throw notFound()
  }

  /** The last started first. */
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
