import { closeSync, ftruncateSync, openSync, readSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { WhisklensError } from '../../errors'

/** An append-only file of JSON lines. A line is either there whole, with its line feed, or not at all. */
export interface Journal<T> {
  append(value: T): void
  /** The lines from byte `from` on, each with the place where the next one begins. */
  read(from: number): Iterable<{ value: T; end: number }>
  end(): number
  close(): void
}

const blockSize = 256 * 1024

/** Lines from byte `from` on, in bounded memory; a last line without its line feed is not there. */
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
 * Opens the journal in `file` and drops the torn last line a killed process can leave. Everything is written
 * synchronously: a line costs microseconds, and no other request can come between a check and the line that follows.
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
        // A full disk: what was written of the line must not become part of the next one.
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
            hint: 'Remove that line to go on without the change it held.',
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
 * Writes a new journal in place of any old one, at once.
 * @param closeOld called when all is read of the old one: Windows replaces no open file
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
