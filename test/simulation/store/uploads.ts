import { StorageError } from '../../../src/errors'
import { md5 } from './contents'

interface Upload {
  key: string
  parts: Map<number, Buffer>
}

const gone = (): StorageError => new StorageError('upload_not_found', 404, 'There is no such upload')

/** The etag that S3 gives an object of parts. */
export const etagOfParts = (etags: string[]): string =>
  `${md5(Buffer.concat(etags.map((etag) => Buffer.from(etag, 'hex'))))}-${etags.length}`

/** Uploads in parts that are under way in one bucket. */
export class Uploads {
  private readonly underWay = new Map<string, Upload>()
  private begun = 0

  /** @param leastBytes of all parts but the last */
  constructor(private readonly leastBytes: number) {}

  begin(key: string): string {
    const id = `upload-${++this.begun}`
    this.underWay.set(id, { key, parts: new Map() })
    return id
  }

  put(key: string, id: string, number: number, body: Buffer): string {
    this.get(key, id).parts.set(number, body)
    return md5(body)
  }

  /** The bytes of all parts, which are to be those named. The upload stays until it is dropped. */
  join(key: string, id: string, etags: string[]): Buffer {
    const { parts } = this.get(key, id)
    const bodies = etags.map((etag, index) => {
      const body = parts.get(index + 1)
      if (!body || md5(body) !== etag) throw new StorageError('store_failed', 400, 'InvalidPart')
      return body
    })
    if (bodies.slice(0, -1).some((body) => body.length < this.leastBytes))
      throw new StorageError('store_failed', 400, 'EntityTooSmall')
    return Buffer.concat(bodies)
  }

  drop(id: string): void {
    this.underWay.delete(id)
  }

  private get(key: string, id: string): Upload {
    const upload = this.underWay.get(id)
    if (upload?.key !== key) throw gone()
    return upload
  }
}
