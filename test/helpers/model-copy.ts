import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const original = join(__dirname, '..', '..', 'models', 'efficientnet-lite0')
const parent = mkdtempSync(join(tmpdir(), 'whisklens-models-'))
let copies = 0

/** Copies the built-in model into a new folder, with some files replaced; null omits a file. */
export function modelCopy(changes: Record<string, Buffer | string | null> = {}): string {
  copies += 1
  const folder = join(parent, `model-${copies}`)
  mkdirSync(folder)
  for (const name of readdirSync(original)) copyFileSync(join(original, name), join(folder, name))
  forgetChecksums(folder, Object.keys(changes))
  changeModel(folder, changes)
  return folder
}

/** Files without a checksum may be replaced. */
function forgetChecksums(folder: string, names: string[]): void {
  const path = join(folder, 'whisklens.json')
  const description = JSON.parse(readFileSync(path, 'utf8'))
  if (!names.some((name) => Object.hasOwn(description.checksums, name))) return
  for (const name of names) delete description.checksums[name]
  writeFileSync(path, JSON.stringify(description))
}

export function changeModel(folder: string, changes: Record<string, Buffer | string | null>): void {
  for (const [name, content] of Object.entries(changes)) {
    if (content === null) rmSync(join(folder, name))
    else writeFileSync(join(folder, name), content)
  }
}

export const removeModelCopies = (): void => rmSync(parent, { recursive: true, force: true })
