import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Packed } from '../../scripts/tarball'

const root = join(__dirname, '..', '..')

/** Packs a folder into another one. @returns npm's description of the tarball */
export function pack(from: string, to: string): Packed {
  const listed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', to], {
    cwd: from,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return (JSON.parse(listed) as [Packed])[0]
}

/** Transitive dependencies that npm installs for a package.json. */
function dependenciesOf(manifest: string, found = new Set<string>()): Set<string> {
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(manifest, 'utf8'))
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const own = join(root, 'node_modules', name, 'package.json')
    if (found.has(name) || !existsSync(own)) continue
    found.add(name)
    dependenciesOf(own, found)
  }
  return found
}

/**
 * Recreates the result of `npm install whisklens`: node_modules with the package of this checkout and its dependencies,
 * side by side and nothing else.
 */
export function installPackage(folder: string): Packed {
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, 'whisklens'), { recursive: true })
  const packed = pack(root, folder)
  execFileSync('tar', ['-xzf', join(folder, packed.filename), '--strip-components=1'], {
    cwd: join(modules, 'whisklens'),
  })
  for (const name of dependenciesOf(join(modules, 'whisklens', 'package.json'))) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), join(modules, name))
  }
  return packed
}
