import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { unzipSync, type Zippable, zipSync } from 'fflate'
import { InvalidInputError, messageOf } from '../../errors'
import { renderNotices } from '../../notices/render'
import { homeFolder } from '../../paths'
import { type Architecture, classifying, noticesName, type StockEngine, stockContents } from './contents'
import { zipDate } from './zip-date'

/*
 * The zips of manifest.stock.yaml, for OpenWhisk's own Node.js image: each holds its action's bundle with a model, what
 * runs it, and sharp. They are made of what is installed. The same input gives the same bytes.
 */

/** OpenWhisk takes 48 MiB of code, and base64 makes four bytes of three. */
const maxBytes = 35.9 * 1024 * 1024

/** Weights would lose a fourteenth, and every cold start as much time as for unpacking all else. */
const isWeights = (name: string): boolean => /\.(bin|onnx)$/.test(name)
const stored = { level: 0 } as const

export interface StockOptions {
  architecture: Architecture
  engine: StockEngine
  /** The name of a folder in models/; by default the one that suits the engine. */
  model?: string
}

const defaults: StockOptions = { architecture: 'x64', engine: 'onnx' }

const actionZip = (action: string): string => join(homeFolder(), 'dist', 'actions', `${action}.zip`)
const stockZip = (action: string): string => join(homeFolder(), 'dist', 'stock', `${action}.zip`)

/**
 * Makes the zips anew.
 * @returns their sizes in bytes, by action
 * @throws InvalidInputError `bad_deployment` for what is not installed, or where they cannot be written
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
    const beside = renderNotices(`what lies beside the action ${action}`, components)
    files[noticesName] = Buffer.concat([files[noticesName] as Uint8Array, Buffer.from(`\n${beside}`)])
    const zip = zipSync(files, { level: 9, mtime: zipDate })
    if (zip.length > maxBytes)
      throw new InvalidInputError(
        'bad_deployment',
        `${action}.zip is ${zip.length} bytes, more than OpenWhisk takes`,
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
    throw new InvalidInputError('bad_deployment', `${path} cannot be written: ${messageOf(cause)}`, {
      hint: 'Run it once as the user who installed Whisklens; after that any user can deploy.',
      cause,
    })
  }
}

/** Milliseconds since 1970; none where there is no such file. */
const dateOf = async (path: string): Promise<number | undefined> =>
  (await stat(path).catch(() => undefined))?.mtimeMs

/** Whether the zips are there and made of the actions' bundles of today. */
async function isCurrent(): Promise<boolean> {
  const dates = classifying.map(async (action) => {
    const made = await dateOf(stockZip(action))
    return made !== undefined && made >= ((await dateOf(actionZip(action))) ?? 0)
  })
  return (await Promise.all(dates)).every(Boolean)
}

/**
 * Makes the zips where there are none, or of an older build.
 * @param tell is called before they are made, which takes some seconds
 */
export async function ensureStock(tell: () => void): Promise<void> {
  if (await isCurrent()) return
  tell()
  await makeStock()
}
