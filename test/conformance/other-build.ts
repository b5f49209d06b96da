import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { unzipSync, zipSync } from 'fflate'

const root = join(__dirname, '..', '..')
const actions = ['aggregate', 'start-batch', 'bucket-feed', 'bucket-events', 'results']

/** A copy of `manifest.stock.yaml` with code of another build and another version of its model. */
export async function otherBuild() {
  const folder = await mkdtemp(join(tmpdir(), 'whisklens-build-'))
  const manifest = join(folder, 'manifest.stock.yaml')
  await copyFile(join(root, 'manifest.stock.yaml'), manifest)
  const names = [...actions.map((name) => `actions/${name}`), 'stock/classify', 'stock/predict']
  for (const name of names) await rebuild(join('dist', `${name}.zip`), folder)
  return { manifest, remove: () => rm(folder, { recursive: true, force: true }) }
}

async function rebuild(path: string, folder: string): Promise<void> {
  const entries = unzipSync(await readFile(join(root, path)))
  for (const [name, content] of Object.entries(entries)) {
    const text = name === 'index.js' ? '\n// another build' : name.endsWith('/whisklens.json') ? '\n' : ''
    if (text) entries[name] = Buffer.concat([content, Buffer.from(text)])
  }
  await mkdir(dirname(join(folder, path)), { recursive: true })
  await writeFile(join(folder, path), zipSync(entries, { level: 1 }))
}
