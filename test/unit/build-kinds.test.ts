import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createContext, runInContext } from 'node:vm'
import { strFromU8, unzipSync } from 'fflate'

const folder = join(__dirname, '..', '..', 'dist', 'actions')

/** Evaluates the bundle of an action's zip as the given Node.js version would, with neither `require` nor other globals. */
function start(file: string, node: string): void {
  const index = unzipSync(readFileSync(join(folder, file)))['index.js']
  const module = { exports: {} }
  const globals = { process: { ...process, versions: { node }, version: `v${node}` }, module, exports: {} }
  runInContext(strFromU8(index ?? new Uint8Array()), createContext(globals))
}

describe.each(readdirSync(folder).filter((name) => name.endsWith('.zip')))('%s', (file) => {
  it('names the required kind when started by an older Node.js', () => {
    expect(() => start(file, '18.20.8')).toThrow(
      'Whisklens needs nodejs:20 or later, and this kind is Node.js v18.20.8: deploy it with another',
    )
  })

  it.each(['20.20.2', '22.23.3', '24.21.0'])('goes on by Node.js %s', (node) => {
    // The version check has passed: the first `require` fails, because the context has none.
    expect(() => start(file, node)).toThrow('require is not defined')
  })
})
