import {
  closeSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Object bodies in files, so that they do not count as memory of the simulation. */
export class OnDisk {
  private readonly folder = mkdtempSync(join(tmpdir(), 'whisklens-scale-'))
  private readonly files = new Map<string, string>()

  constructor() {
    process.once('exit', () => rmSync(this.folder, { recursive: true, force: true }))
  }

  private pathOf(key: string): string {
    const path = this.files.get(key) ?? join(this.folder, String(this.files.size))
    this.files.set(key, path)
    return path
  }

  write(key: string, body: Buffer): void {
    writeFileSync(this.pathOf(key), body)
  }

  /** Writes lines in blocks of a thousand. */
  writeLines(key: string, lines: Iterable<string>): void {
    const file = openSync(this.pathOf(key), 'w')
    let pending: string[] = []
    const flush = () => {
      writeSync(file, pending.join(''))
      pending = []
    }
    for (const line of lines) if (pending.push(line) === 1_000) flush()
    flush()
    closeSync(file)
  }

  size = (key: string): number => statSync(this.pathOf(key)).size

  has = (key: string): boolean => this.files.has(key)

  /** A body read in ranges. */
  body(key: string): Buffer {
    const path = this.pathOf(key)
    const subarray = (start: number, end: number): Buffer => {
      const file = openSync(path, 'r')
      const bytes = Buffer.alloc(end - start)
      const read = readSync(file, bytes, 0, end - start, start)
      closeSync(file)
      return bytes.subarray(0, read)
    }
    return { subarray } as Buffer
  }
}
