import { signal } from '@preact/signals-core'
import pLimit from 'p-limit'
import type { UploadAnswer } from '../contract'
import type { Upload } from './api'
import type { OwnerRoutes } from './owner'
import { problemOf } from './problems'

const atOnce = 4

/** Uploads of dropped files. @param done called after each */
export function uploadsOf(routes: OwnerRoutes, done: () => void) {
  const uploads = signal<Upload[]>([])
  const limit = pLimit(atOnce)
  let count = 0

  const change = (id: number, changes: Partial<Upload>) => {
    uploads.value = uploads.peek().map((upload) => (upload.id === id ? { ...upload, ...changes } : upload))
  }

  const send = async ({ id, key, file, bytes }: Upload) => {
    change(id, { state: 'sending', sent: 0, problem: undefined })
    try {
      const stored = await routes.put<UploadAnswer>(key, file, (sent) => change(id, { sent }))
      change(id, { state: 'done', sent: bytes, key: stored.key })
    } catch (thrown) {
      change(id, { state: 'failed', problem: problemOf(thrown) })
    }
    done()
  }

  const start = (added: Upload[]) => {
    for (const upload of added) limit(() => send(upload))
  }

  return {
    uploads,
    upload: (files: { name: string; file: Blob }[], prefix = '') => {
      const added = files.map(({ name, file }): Upload => {
        count++
        return { id: count, key: `${prefix}${name}`, file, bytes: file.size, sent: 0, state: 'waiting' }
      })
      uploads.value = [...uploads.peek(), ...added]
      start(added)
    },
    retryUploads: () => {
      const failed = uploads.peek().filter(({ state }) => state === 'failed')
      for (const { id } of failed) change(id, { state: 'waiting' })
      start(failed)
    },
    clearUploads: () => {
      uploads.value = uploads.peek().filter(({ state }) => state === 'waiting' || state === 'sending')
    },
  }
}
