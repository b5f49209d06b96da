import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(__dirname, '..', '..')
const samples = join(root, 'samples')

/** Creates the files used by examples in the help and the docs: photos, lists, label names. */
export function fillExampleFolder(folder: string): void {
  const at = (...names: string[]) => join(folder, ...names)
  for (const to of ['photos', 'photos/2026', 'pets/cat', 'pets/dog']) {
    mkdirSync(at(to), { recursive: true })
    for (const name of ['cat', 'coffee', 'rocket'])
      cpSync(join(samples, `${name}.jpg`), at(to, `${name}.jpg`))
  }
  cpSync(join(samples, 'cat.jpg'), at('cat.jpg'))
  writeFileSync(at('inventory.csv'), '"images","photos/cat.jpg"\n"images","photos/coffee.jpg"\n')
  writeFileSync(at('keys.txt'), 'photos/cat.jpg\nphotos/rocket.jpg\n')
  const model = join(root, 'models', 'efficientnet-lite0')
  const labels = JSON.parse(readFileSync(join(model, 'labels.json'), 'utf8')) as { className: string }[]
  for (const name of ['flowers.txt', 'names.txt'])
    writeFileSync(at(name), labels.map(({ className }) => `${className}\n`).join(''))
}

/** Writes an executable shell script. */
export function writeProgram(path: string, script: string): void {
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
}
