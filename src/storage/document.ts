import * as z from 'zod'
import { msOf } from '../clock'
import { StorageError } from '../errors'
import { compareAndSwap, type Pace, type Seen } from './compare-and-swap'
import type { Bucket } from './store'

/** What every document carries: how often it was written, and by which logical write. */
export const stampShape = { revision: z.int().positive(), writeId: z.string() }
export interface Stamp {
  revision: number
  writeId: string
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
/** A document without its stamp: what a change makes. A stamp that it still carries is replaced. */
export type Unstamped<T> = DistributiveOmit<T, keyof Stamp>

/** A JSON object of a bucket that several writers change, one at a time. */
export interface Document<T extends Stamp> {
  /** Reads it anew. @throws StorageError `document_invalid` when it is not what it must be */
  read(): Promise<T | undefined>
  /** As it was last read or written here. */
  value(): T | undefined
  /** How long it had not been changed when it was last read, by the store's clock; milliseconds. */
  age(): number
  /**
   * Replaces it by what `change` makes of it: a pure function, called again where another writer was faster. It leaves
   * the document alone by returning undefined, which it has to do where it meets its own effect: a write that landed
   * without an answer and was overwritten since cannot be told from one that was lost.
   * @returns the document as it is then
   */
  update(change: (current: T | undefined) => Unstamped<T> | undefined): Promise<T | undefined>
}

/** Opens a document. Nothing is read before it is asked for. */
export function openDocument<T extends Stamp>(
  bucket: Bucket,
  key: string,
  schema: z.ZodType<T>,
  pace: Pace,
): Document<T> {
  let known: Seen | null | undefined
  let value: T | undefined
  let age = 0
  let parsed: { body: string; value: T } | undefined
  /** What was parsed last is not parsed again: an update mostly changes what it has just read or written. */
  const parse = (body: string): T => {
    if (parsed?.body !== body) parsed = { body, value: parseDocument(bucket, key, schema, body) }
    return parsed.value
  }

  return {
    value: () => value,
    age: () => age,
    read: async () => {
      const found = await bucket.find(key)
      known = found ? { body: found.body.toString('utf8'), etag: found.etag } : null
      age = found ? Math.max(0, found.servedAt - msOf(found.lastModified)) : 0
      value = known ? parse(known.body) : undefined
      return value
    },
    update: async (change) => {
      const writeId = newWriteId(pace.random)
      const written = await compareAndSwap(
        bucket,
        key,
        {
          known,
          change: (current) => {
            const before = current && parse(current.body)
            const next = change(before)
            return next && JSON.stringify({ ...next, revision: (before?.revision ?? 0) + 1, writeId })
          },
          isOwn: (body) => body.includes(writeId),
        },
        pace,
      )
      known = written ?? null
      value = written && parse(written.body)
      if (written?.written) age = 0
      return value
    },
  }
}

function parseDocument<T>(bucket: Bucket, key: string, schema: z.ZodType<T>, body: string): T {
  try {
    return schema.parse(JSON.parse(body))
  } catch (cause) {
    throw new StorageError('document_invalid', 200, `s3://${bucket.name}/${key} cannot be understood`, {
      cause,
      hint: 'Another version of Whisklens may have written it.',
    })
  }
}

/** A document that is not to be changed. @throws StorageError `document_invalid` when it is not what it must be */
export async function readDocument<T extends Stamp>(
  bucket: Bucket,
  key: string,
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  const found = await bucket.find(key)
  return found && parseDocument(bucket, key, schema, found.body.toString('utf8'))
}

/** 64 random bits. */
const newWriteId = (random: () => number): string =>
  [0, 1]
    .map(() =>
      Math.floor(random() * 2 ** 32)
        .toString(16)
        .padStart(8, '0'),
    )
    .join('')
