import * as z from 'zod'
import type { ImageRecord } from '../../schema'
import { openGrowing, uploadSchema, type Written } from '../../storage/growing-object'
import { partBytes } from '../../storage/multipart'
import type { Bucket } from '../../storage/store'
import { closingPrefix, closingRestKey, type ResultsName, resultsKey, resultsNames } from '../layout'
import { csvHeader, toCsvLine } from './csv'

const contentTypes: Record<ResultsName, string> = {
  'results.jsonl': 'application/x-ndjson',
  'results.csv': 'text/csv; charset=utf-8',
  'errors.jsonl': 'application/x-ndjson',
}

/** How far the files were written when a checkpoint was made: plain data, for whoever made it to keep. */
export const filesStateSchema = z.object({
  /** Of each file, in the order of `resultsNames`: its upload, if it has one, and the bytes too few for a part. */
  files: z.array(z.object({ upload: uploadSchema.optional(), restBytes: z.int() })),
  /** The object that holds those bytes, one file's after the other's. */
  rest: z.string(),
})
export type FilesState = z.infer<typeof filesStateSchema>

/** `results.jsonl`, `results.csv` and `errors.jsonl` of a batch, written side by side in bounded memory. */
export interface ResultsFiles {
  /** Appends a record; records come in the order in which they are to be read. */
  write(record: ImageRecord): Promise<void>
  /**
   * How many of the files are too large for one request so far. While it is 0, a checkpoint saves nothing worth its
   * writing; when it grows, one is due, so that no upload is forgotten when this process dies.
   */
  uploads(): number
  /**
   * Makes what was written so far outlast this process. Whoever keeps the answer goes on from it with
   * {@link openResultsFiles}, or gives it up with {@link dropResultsFiles}. It must be kept before the next one is made.
   */
  checkpoint(): Promise<FilesState>
  /** Makes the files what was written, each as a whole. After checkpoints, {@link clearClosing} is due. */
  finish(): Promise<void>
  /**
   * Leaves no upload behind, for files that are not to be finished here.
   * @param kept a checkpoint that somebody is to go on from: its uploads stay
   */
  abort(kept?: FilesState): Promise<void>
}

/**
 * Opens the files that a batch leaves when it is closed. Their bytes follow from the records alone, wherever and
 * however often writing them was interrupted.
 * @param from the checkpoint to go on from; without one the files begin anew
 * @throws StorageError `object_not_found`, or `upload_not_found` from a method, when the checkpoint was finished or
 *   given up by somebody else: begin anew then
 */
export async function openResultsFiles(
  results: Bucket,
  batch: string,
  from?: FilesState,
): Promise<ResultsFiles> {
  const begun = from ? await readWritten(results, from) : []
  const open = (name: ResultsName) =>
    openGrowing(results, resultsKey(batch, name), contentTypes[name], begun[resultsNames.indexOf(name)])
  const lines = open('results.jsonl')
  const csv = open('results.csv')
  const errors = open('errors.jsonl')
  const files = [lines, csv, errors]
  /** Objects with rests; all but the last are in no checkpoint that is kept. */
  const rests = from ? [from.rest] : []
  if (!from) await csv.append(csvHeader)

  return {
    write: async (record) => {
      const line = `${JSON.stringify(record)}\n`
      await lines.append(line)
      await csv.append(toCsvLine(record))
      if (record.error) await errors.append(line)
    },
    uploads: () => files.filter((file) => file.uploadId() !== undefined).length,
    checkpoint: async () => {
      for (const old of rests.splice(0, rests.length - 1)) await results.delete(old)
      const written = await Promise.all(files.map((file) => file.settle()))
      const bytes = written.reduce((sum, file) => sum + bytesOf(file), 0)
      const rest = closingRestKey(batch, bytes)
      await results.put(rest, Buffer.concat(written.map((file) => file.rest)))
      if (rest !== rests.at(-1)) rests.push(rest)
      return { rest, files: written.map((file) => ({ upload: file.upload, restBytes: file.rest.length })) }
    },
    finish: async () => {
      await Promise.all(files.map((file) => file.finish()))
    },
    abort: async (kept) => {
      const ids = kept?.files.map(({ upload }) => upload?.id) ?? []
      await Promise.all(files.filter((file) => !ids.includes(file.uploadId())).map((file) => file.abort()))
    },
  }
}

const bytesOf = ({ upload, rest }: Written): number => (upload?.etags.length ?? 0) * partBytes + rest.length

async function readWritten(results: Bucket, { rest, files }: FilesState): Promise<Written[]> {
  const { body } = await results.get(rest)
  let end = 0
  return files.map(({ upload, restBytes }) => {
    end += restBytes
    return { upload, rest: body.subarray(end - restBytes, end) }
  })
}

/** Gives up the uploads of a checkpoint from which nobody is to go on. */
export async function dropResultsFiles(results: Bucket, batch: string, { files }: FilesState): Promise<void> {
  for (const [index, name] of resultsNames.entries()) {
    const upload = files[index]?.upload
    if (upload) await results.abortUpload(resultsKey(batch, name), upload.id)
  }
}

/**
 * Gives up the uploads of which a checkpoint does not speak: closers that were killed have left them. Only for whoever
 * is the only one to close the batch.
 */
export async function dropStrayUploads(results: Bucket, batch: string, kept: FilesState): Promise<void> {
  for (const [index, name] of resultsNames.entries()) {
    const key = resultsKey(batch, name)
    const strays = (await results.listUploads(key)).filter((id) => id !== kept.files[index]?.upload?.id)
    for (const id of strays) await results.abortUpload(key, id)
  }
}

/** Removes all that checkpoints of a closing have left; what was given up or finished has no other use for it. */
export async function clearClosing(results: Bucket, batch: string): Promise<void> {
  for await (const { key } of results.list({ prefix: closingPrefix(batch) })) await results.delete(key)
}
