import type { ImageRecord, ImageRef } from '../../src/schema'
import { type Contents, type Kept, Objects } from '../../test/simulation/store/contents'
import { Uploads } from '../../test/simulation/store/uploads'
import { numberOf } from './images'
import { OnDisk } from './on-disk'
import { type Records, recordOf, refOf } from './records'

/** For bodies of which only the length matters. */
const zeros = Buffer.alloc(32 * 1024 * 1024)

/** Enough of a chunk or part to generate it again. */
interface Made {
  first: number
  count: number
  /** Of a part: when its first image was read, milliseconds since the epoch, and the activation. */
  read?: { at: number; activationId: string }
}

/**
 * Results bucket of a batch of any size. Objects that grow with the batch are checked when written and generated again when read; all
 * others are stored.
 */
export class Results implements Contents {
  private readonly objects = new Objects()
  private readonly made = new Map<string, Made>()
  /** The list of images, and its portions. */
  private readonly disk = new OnDisk()
  /** Number of the image on the next line of `results.jsonl`. */
  line = 0
  /** Called with each version of a batch document. */
  onDocument: (text: string) => void = () => {}

  /** @param imageMs interval between the times of two images in a chunk, milliseconds */
  constructor(
    private readonly records: Records,
    private readonly bucket: string,
    private readonly imageMs: number,
  ) {}

  get(key: string): Kept | undefined {
    if (key.startsWith('images/')) return this.records.get(key)
    const kept = this.objects.get(key)
    if (kept && this.disk.has(key)) return { ...kept, size: this.disk.size(key), body: this.disk.body(key) }
    if (!kept || !isMade(key)) return kept
    return { ...kept, body: this.bodyOf(key, kept.body) }
  }

  put(key: string, body: Buffer, more: Parameters<Contents['put']>[2]): Kept {
    if (key.startsWith('images/')) return this.records.put(key, body, more)
    if (key.endsWith('/batch.json')) this.onDocument(body.toString('utf8'))
    if (key.includes('/list/')) {
      this.disk.write(key, body)
      return this.objects.put(key, zeros.subarray(0, 0), more)
    }
    if (!isMade(key)) return this.objects.put(key, body, more)
    const etag = more.etag ?? String(more.now)
    if (/\/results\.jsonl$/.test(key)) this.check(key, body)
    if (/\/(chunks|parts)\//.test(key)) this.made.set(key, madeOf(body))
    // The size of an object is that of its body.
    return this.objects.put(key, zeros.subarray(0, body.length), { ...more, etag })
  }

  /** Writes a list of images. */
  putList(key: string, lines: Iterable<string>, now: number): void {
    this.disk.writeLines(key, lines)
    this.objects.put(key, zeros.subarray(0, 0), { now })
  }

  delete(key: string): void {
    this.made.delete(key)
    this.objects.delete(key)
  }

  page(prefix: string, after: string, count: number) {
    const of = prefix.startsWith('images/') ? this.records : this.objects
    return of.page(prefix, after, count)
  }

  private bodyOf(key: string, empty: Buffer): Buffer {
    const made = this.made.get(key)
    if (!made) return empty
    const { first, count, read } = made
    const lineOf = (index: number): object =>
      read
        ? recordOf(first + index, { ...read, at: read.at + index * this.imageMs, bucket: this.bucket })
        : refOf(first + index, this.bucket)
    return Buffer.from(
      Array.from({ length: count }, (_, index) => `${JSON.stringify(lineOf(index))}\n`).join(''),
    )
  }

  /** Checks that each image has one line, in the right place. */
  private check(key: string, body: Buffer): void {
    if (!key.includes('/closing/') && this.line > 0) return
    for (let from = 0; from < body.length; ) {
      const end = body.indexOf(10, from)
      const name = /"key":"([^"]*)"/.exec(body.toString('latin1', from, from + 200))?.[1] ?? ''
      if (numberOf(name) !== this.line) throw new Error(`Line ${this.line + 1} is about ${name}`)
      this.line++
      from = end + 1
    }
  }
}

/** Objects that grow with the batch. */
const isMade = (key: string): boolean =>
  /\/(chunks|parts)\//.test(key) || /\/(results\.jsonl|results\.csv|errors\.jsonl)$/.test(key)

function madeOf(body: Buffer): Made {
  const first = JSON.parse(body.toString('utf8', 0, body.indexOf(10))) as ImageRecord | ImageRef
  let count = 0
  for (let end = body.indexOf(10); end !== -1; end = body.indexOf(10, end + 1)) count++
  const read = 'at' in first ? { at: Date.parse(first.at), activationId: first.activationId } : undefined
  return { first: numberOf(first.key), count, read }
}

/** Multipart uploads of which only the lengths are stored. */
export class WeightlessUploads extends Uploads {
  private sent = 0

  override put(_key: string, _id: string, _number: number, _body: Buffer): string {
    return (++this.sent).toString(16).padStart(32, '0')
  }

  override join(): Buffer {
    return zeros.subarray(0, 0)
  }
}
