import { StorageError, WhisklensError } from '../../errors'
import type { Store } from '../../storage/store'
import type { Shape } from '../state/batch'
import { isContinued, type Listed, parseAddress, parseLine, shapeOf } from './list-lines'

/** Where to resume reading a list. */
export interface ReadPosition {
  /** Bytes and lines read so far. */
  bytes: number
  lines: number
  /** Known once the first line is read. */
  shape?: Shape
}

/** An image of a list, and the position after its line. */
export interface Read extends ReadPosition {
  listed: Listed
}

/** @param address validated by the request schema */
const locate = (address: string) => parseAddress(address) ?? { bucket: '', key: '' }

/** The current version of a list. @throws WhisklensError `manifest_not_found` */
export async function listEtag(address: string, store: Store): Promise<string> {
  const { bucket, key } = locate(address)
  const found = await store.bucket(bucket).head(key)
  if (found) return found.etag
  throw new WhisklensError('manifest_not_found', `There is no list of images at ${address}`)
}

/**
 * Reads one version of a list line by line from a position. Empty lines are skipped.
 * @throws WhisklensError `manifest_invalid` for a line that cannot be parsed, `manifest_changed` when the list is
 * another version
 */
export async function* readList(
  address: string,
  etag: string,
  from: ReadPosition,
  store: Store,
): AsyncGenerator<Read> {
  const { bucket, key } = locate(address)
  let { bytes, lines, shape } = from
  let pending = ''
  const source = store.bucket(bucket).lines(key, { from: bytes, etag })
  for await (const text of translateErrors(address, source)) {
    const isFirst = bytes === 0 && pending === ''
    bytes += Buffer.byteLength(text) + 1
    lines++
    const line = `${pending}${isFirst ? text.replace(/^\ufeff/, '') : text}`
    try {
      const trimmed = line.replace(/\r$/, '')
      if (trimmed === '') continue
      if (isContinued(line, shape)) pending = `${line}\n`
      else {
        pending = ''
        shape ??= shapeOf(trimmed)
        yield { listed: parseLine(trimmed, shape), bytes, lines, shape }
      }
      if (pending.length > maxRecord) throw notClosed()
    } catch (thrown) {
      throw atLine(thrown, address, lines)
    }
  }
  if (pending !== '') throw atLine(notClosed(), address, lines)
}

/** Characters of a CSV record that spans several lines. Keys have at most 1,024 bytes. */
const maxRecord = 16 * 1024

const notClosed = (): WhisklensError => new WhisklensError('manifest_invalid', 'A quote is never closed')

/** Adds the list's address and the line number to an error. */
function atLine(thrown: unknown, address: string, line: number): unknown {
  if (!(thrown instanceof WhisklensError) || thrown.code !== 'manifest_invalid') return thrown
  const { code, message, hint, cause } = thrown
  return new WhisklensError(code, `Line ${line} of ${address} is not valid. ${message}`, { hint, cause })
}

/** Translates storage errors of a replaced or deleted list to `manifest_changed`. */
async function* translateErrors(address: string, lines: AsyncIterable<string>): AsyncGenerator<string> {
  try {
    yield* lines
  } catch (thrown) {
    if (!(thrown instanceof StorageError)) throw thrown
    if (!['precondition_failed', 'object_not_found'].includes(thrown.code)) throw thrown
    throw new WhisklensError('manifest_changed', `${address} was changed while it was read`, {
      hint: 'Fire the batch again: it reads the list from the start.',
      cause: thrown,
    })
  }
}
