import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { unzipSync, type Zippable, zipSync } from 'fflate'
import { InvalidInputError, messageOf } from '../../errors'
import { renderNotices } from '../../notices/render'
import { homeFolder } from '../../paths'
import { type Architecture, classifying, noticesName, type StockEngine, stockContents } from './contents'
import { zipDate } from './zip-date'

/*
 * Builds the zips of manifest.stock.yaml for OpenWhisk's Node.js image: each has its action's bundle, a model, an engine and
 * sharp, from the installed packages. The same input gives the same bytes.
 */

/** OpenWhisk accepts 48 MiB of code in base64, which is a third larger than the zip. */
const maxBytes = 35.9 * 1024 * 1024

/** Stored uncompressed: deflating saves only 7 %, and inflating would double the unpacking time of a cold start. */
const isWeights = (name: string): boolean => /\.(bin|onnx)$/.test(name)
const stored = { level: 0 } as const

export interface StockOptions {
  architecture: Architecture
  engine: StockEngine
  /** Name of a folder in models/. Default: the one that suits the engine. */
  model?: string
}

const defaults: StockOptions = { architecture: 'x64', engine: 'onnx' }

const actionZip = (action: string): string => join(homeFolder(), 'dist', 'actions', `${action}.zip`)
const stockZip = (action: string): string => join(homeFolder(), 'dist', 'stock', `${action}.zip`)

/**
 * Builds the zips.
 * @returns their sizes in bytes, by action
 * @throws InvalidInputError `bad_deployment` if a package is missing, or a zip cannot be written
 */
export async function makeStock(options = defaults): Promise<Record<string, number>> {
  const { files: runtime, components } = await stockContents(
    options.architecture,
    options.engine,
    options.model,
  )
  const sizes: Record<string, number> = {}
  for (const action of classifying) {
    const files: Zippable = unzipSync(await readFile(actionZip(action)))
    for (const [name, bytes] of Object.entries(runtime))
      files[name] = isWeights(name) ? [bytes, stored] : bytes
    const beside = renderNotices(`files beside the bundle of ${action}`, components)
    files[noticesName] = Buffer.concat([files[noticesName] as Uint8Array, Buffer.from(`\n${beside}`)])
    const zip = zipSync(files, { level: 9, mtime: zipDate })
    if (zip.length > maxBytes)
      throw new InvalidInputError(
        'bad_deployment',
        `${action}.zip is ${zip.length} bytes, more than OpenWhisk accepts`,
      )
    await write(stockZip(action), zip)
    sizes[action] = zip.length
  }
  return sizes
}

async function write(path: string, zip: Uint8Array): Promise<void> {
  const fresh = `${path}.${process.pid}`
  try {
    await mkdir(join(path, '..'), { recursive: true })
    await writeFile(fresh, zip)
    await rename(fresh, path)
  } catch (cause) {
    throw new InvalidInputError('bad_deployment', `${path} could not be written: ${messageOf(cause)}`, {
      hint: 'Run it once as the user who installed Whisklens. Then any user can deploy.',
      cause,
    })
  }
}

/** Modification time, milliseconds since 1970; undefined if there is no file. */
const dateOf = async (path: string): Promise<number | undefined> =>
  (await stat(path).catch(() => undefined))?.mtimeMs

/** Whether all zips exist and are newer than the bundles. */
async function isCurrent(): Promise<boolean> {
  const dates = classifying.map(async (action) => {
    const made = await dateOf(stockZip(action))
    return made !== undefined && made >= ((await dateOf(actionZip(action))) ?? 0)
  })
  return (await Promise.all(dates)).every(Boolean)
}

/**
 * Builds the zips if they are missing or outdated.
 * @param onBuild called before building, which takes some seconds
 */
export async function ensureStock(onBuild: () => void): Promise<void> {
  if (await isCurrent()) return
  onBuild()
  await makeStock()
}
