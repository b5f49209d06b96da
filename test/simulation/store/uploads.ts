import { StorageError } from '../../../src/errors'
import { md5 } from './contents'

interface Upload {
  key: string
  parts: Map<number, Buffer>
}

const gone = (): StorageError => new StorageError('upload_not_found', 404, 'There is no such upload')

/** The etag that S3 computes for a multipart object. */
export const etagOfParts = (etags: string[]): string =>
  `${md5(Buffer.concat(etags.map((etag) => Buffer.from(etag, 'hex'))))}-${etags.length}`

/** Multipart uploads in progress in a bucket. */
export class Uploads {
  private readonly open = new Map<string, Upload>()
  private begun = 0

  /** @param minBytes of all parts but the last */
  constructor(private readonly minBytes: number) {}

  begin(key: string): string {
    const id = `upload-${++this.begun}`
    this.open.set(id, { key, parts: new Map() })
    return id
  }

  put(key: string, id: string, number: number, body: Buffer): string {
    this.get(key, id).parts.set(number, body)
    return md5(body)
  }

  /** Concatenates parts after checking their etags. The upload remains until dropped. */
  join(key: string, id: string, etags: string[]): Buffer {
    const { parts } = this.get(key, id)
    const bodies = etags.map((etag, index) => {
      const body = parts.get(index + 1)
      if (!body || md5(body) !== etag) throw new StorageError('store_failed', 400, 'InvalidPart')
      return body
    })
    if (bodies.slice(0, -1).some((body) => body.length < this.minBytes))
      throw new StorageError('store_failed', 400, 'EntityTooSmall')
    return Buffer.concat(bodies)
  }

  drop(id: string): void {
    this.open.delete(id)
  }

  private get(key: string, id: string): Upload {
    const upload = this.open.get(id)
    if (upload?.key !== key) throw gone()
    return upload
  }
}
