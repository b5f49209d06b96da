import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { compileFunction } from 'node:vm'
import { WhisklensError } from '../../errors'
import { type PeerLibrary, packageOf } from '../../model-folder/peer-libraries'
import { homeFolder } from '../../paths'

/** Resolved from the installation, or beside the models in a runtime image: not bundled. */
const require = createRequire(join(homeFolder(), 'package.json'))

/**
 * Loads a library with the engines' TensorFlow.js in place of its own dependencies: its own copy would not know our backends and
 * tensors.
 * @param modules replacements by module name
 * @throws WhisklensError `library_missing` if it is not installed
 */
export function loadPeerLibrary<T>(library: PeerLibrary, modules: Record<string, unknown>): T {
  const { name, file } = library
  let path: string
  try {
    path = require.resolve(`${name}/${file}`)
  } catch (cause) {
    throw new WhisklensError('library_missing', `The model needs ${name}, which is not installed`, {
      hint: `Install it: npm install ${packageOf(library)}`,
      cause,
    })
  }
  const own = createRequire(path)
  const module = { exports: {} as T }
  compileFunction(readFileSync(path, 'utf8'), ['require', 'module', 'exports'], { filename: path })(
    (id: string) => (id in modules ? modules[id] : own(id)),
    module,
    module.exports,
  )
  return module.exports
}
