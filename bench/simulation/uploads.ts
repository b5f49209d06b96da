import { StorageError } from '../../src/errors'
import type { Files } from './files'

interface Part {
  file: string
  size: number
}

/** Objects that are being sent in parts. */
export class Uploads {
  private readonly underWay = new Map<string, { key: string; parts: Part[] }>()
  private begun = 0

  constructor(private readonly files: Files) {}

  begin(key: string): string {
    const id = String(++this.begun)
    this.underWay.set(id, { key, parts: [] })
    return id
  }

  /** @param number from 1 on @returns the part's etag */
  put(id: string, number: number, body: Buffer): string {
    const { parts } = this.get(id)
    const former = parts[number - 1]
    if (former) this.files.remove(former.file)
    parts[number - 1] = { file: this.files.write(body), size: body.length }
    return number.toString(16).padStart(32, '0')
  }

  complete(id: string): void {
    const { key, parts } = this.get(id)
    this.underWay.delete(id)
    const size = parts.reduce((sum, part) => sum + part.size, 0)
    const names = parts.map(({ file }) => file)
    this.files.putFiles(key, names, size)
  }

  abort(id: string): void {
    for (const { file } of this.underWay.get(id)?.parts ?? []) this.files.remove(file)
    this.underWay.delete(id)
  }

  private get(id: string) {
    const upload = this.underWay.get(id)
    if (upload) return upload
    throw new StorageError('upload_not_found', 404, `There is no upload ${id}`)
  }
}
