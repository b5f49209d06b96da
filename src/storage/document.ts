import * as z from 'zod'
import { msOf } from '../clock'
import { StorageError } from '../errors'
import { type Backoff, compareAndSwap, type Version } from './compare-and-swap'
import type { Bucket } from './store'

/** Fields of every document: the number of writes, and the id of the last logical write. */
export const stampShape = { revision: z.int().positive(), writeId: z.string() }
export interface Stamp {
  revision: number
  writeId: string
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
/** A document before it is stamped. Stamps that are present are replaced. */
export type Unstamped<T> = DistributiveOmit<T, keyof Stamp>

/** A JSON object changed by several writers with compare-and-swap. */
export interface Document<T extends Stamp> {
  /** Reads the document. @throws StorageError `document_invalid` when it does not match the schema */
  read(): Promise<T | undefined>
  /** The document as last read or written here. */
  value(): T | undefined
  /** Time since the last change when last read, by the store's clock; milliseconds. */
  age(): number
  /**
   * Replaces the document by the result of `change`, a pure function that is called again after a conflict. Returning
   * undefined leaves the document. `change` must do that when it meets its own effect: if a write landed without a
   * response and was overwritten since, it is repeated.
   * @returns the resulting document
   */
  update(change: (current: T | undefined) => Unstamped<T> | undefined): Promise<T | undefined>
}

/** Opens a document without reading it. */
export function openDocument<T extends Stamp>(
  bucket: Bucket,
  key: string,
  schema: z.ZodType<T>,
  pace: Backoff,
): Document<T> {
  let known: Version | null | undefined
  let value: T | undefined
  let age = 0
  let parsed: { body: string; value: T } | undefined
  /** Caches the last parsed body: an update mostly changes what was just read or written. */
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
    throw new StorageError('document_invalid', 200, `s3://${bucket.name}/${key} is not valid`, {
      cause,
      hint: 'Another version of Whisklens may have written it.',
    })
  }
}

/**
 * Reads a document without intent to change it. @throws StorageError `document_invalid` when it does not match the
 * schema
 */
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
