import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import Module, { createRequire } from 'node:module'
import { dirname, join, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type UnzipFileInfo, unzipSync } from 'fflate'

const root = process.cwd()

/** Modules resolve within the container only, not in parent folders on the host. */
const loader = Module as unknown as { _nodeModulePaths(from: string): string[] }
const modulePaths = loader._nodeModulePaths
loader._nodeModulePaths = (from) =>
  modulePaths(from).filter((path) => !from.startsWith(root) || path.startsWith(root))

/** A folder for an action's code. The type of modules that a package.json of the host's says is not the action's. */
function newActionFolder(): string {
  writeFileSync(join(root, 'package.json'), '{}')
  return mkdtempSync(join(root, 'action-'))
}

/** Unpacks a few files at a time, so that a large archive does not count as the action's memory. */
function unpack(zip: Uint8Array, folder: string): void {
  const entries: UnzipFileInfo[] = []
  unzipSync(zip, { filter: (entry) => entries.push(entry) === 0 })
  while (entries.length > 0) {
    const names = new Set<string>()
    for (let size = 0; size < 8e6 && entries.length > 0; ) {
      const entry = entries.shift() as UnzipFileInfo
      names.add(entry.name)
      size += entry.originalSize
    }
    for (const [name, data] of Object.entries(unzipSync(zip, { filter: (entry) => names.has(entry.name) }))) {
      const path = resolve(folder, name)
      if (!`${path}${sep}`.startsWith(folder + sep)) throw new Error(`'${name}' is outside of the archive.`)
      mkdirSync(name.endsWith('/') ? path : dirname(path), { recursive: true })
      if (!name.endsWith('/')) writeFileSync(path, data)
    }
  }
}

/** Resolves `main` of an archive's package, or `file.main` of another module in it. */
export async function loadArchive(code: string, main: string): Promise<unknown> {
  const folder = newActionFolder()
  unpack(Buffer.from(code, 'base64'), folder)
  process.chdir(folder)
  const require = createRequire(join(folder, 'index.js'))
  const [name = main, file] = main.split('.').reverse()
  const path = require.resolve(file === undefined ? folder : join(folder, file))
  let loaded: Record<string, unknown> & { default?: Record<string, unknown> }
  try {
    loaded = require(path)
  } catch (thrown) {
    if (!String((thrown as NodeJS.ErrnoException).code).startsWith('ERR_REQUIRE_')) throw thrown
    loaded = await import(pathToFileURL(path).href)
  }
  return loaded[name] ?? loaded.default?.[name]
}

/** Resolves `main` of a single file, which may declare it without exporting it. */
export function loadSource(code: string, main: string): unknown {
  const file = join(newActionFolder(), 'index.js')
  writeFileSync(file, `${code}\n;try { module.main = ${main} } catch {}`)
  const require = createRequire(file)
  const exported = require(file)
  return (require.cache[file] as { main?: unknown } | undefined)?.main ?? exported[main]
}
