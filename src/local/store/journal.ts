import { closeSync, ftruncateSync, openSync, readSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { WhisklensError } from '../../errors'

/** An append-only JSON Lines file. A line is either complete, including its line feed, or absent. */
export interface Journal<T> {
  append(value: T): void
  /** Lines from byte `from`, each with the position of the next one. */
  read(from: number): Iterable<{ value: T; end: number }>
  end(): number
  close(): void
}

const blockSize = 256 * 1024

/** Lines from byte `from`, in bounded memory; skips an incomplete last line. */
function* readLines(fd: number, from: number): Generator<{ text: string; end: number }> {
  const block = Buffer.allocUnsafe(blockSize)
  let rest = Buffer.alloc(0)
  let restStart = from
  for (;;) {
    const length = readSync(fd, block, 0, blockSize, restStart + rest.length)
    if (length === 0) return
    const data = Buffer.concat([rest, block.subarray(0, length)])
    let start = 0
    for (let feed = data.indexOf(10, rest.length); feed >= 0; feed = data.indexOf(10, start)) {
      const text = data.toString('utf8', start, feed)
      start = feed + 1
      yield { text, end: restStart + start }
    }
    rest = data.subarray(start)
    restStart += start
  }
}

/**
 * Opens a journal, and drops the incomplete last line that a killed process may have left. Writes are synchronous: a line takes
 * microseconds, and no other request can come between a check and its line.
 */
export function openJournal<T>(file: string): Journal<T> {
  const fd = openSync(file, 'r+')
  let end = 0
  for (const line of readLines(fd, 0)) end = line.end
  ftruncateSync(fd, end)
  return {
    append(value) {
      const line = Buffer.from(`${JSON.stringify(value)}\n`)
      try {
        for (let done = 0; done < line.length; )
          done += writeSync(fd, line, done, line.length - done, end + done)
      } catch (thrown) {
        // Disk full: a partial line must not become part of the next one.
        ftruncateSync(fd, end)
        throw thrown
      }
      end += line.length
    },
    *read(from) {
      for (const { text, end } of readLines(fd, from)) {
        try {
          yield { value: JSON.parse(text), end }
        } catch (cause) {
          throw new WhisklensError('store_damaged', `Unreadable line before byte ${end} of ${file}`, {
            hint: 'Remove that line to continue without its change.',
            cause,
          })
        }
      }
    },
    end: () => end,
    close: () => closeSync(fd),
  }
}

/**
 * Replaces a journal atomically.
 * @param closeOld called after the old one was read: Windows cannot replace an open file
 */
export function writeJournal<T>(file: string, values: Iterable<T>, closeOld = () => {}): void {
  const draft = `${file}.new`
  writeFileSync(draft, '')
  const journal = openJournal<T>(draft)
  for (const value of values) journal.append(value)
  journal.close()
  closeOld()
  renameSync(draft, file)
}
