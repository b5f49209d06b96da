import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

const root = join(__dirname, '..', '..')

/**
 * Leaves a folder as `npm install whisklens` does: the package of this checkout in its node_modules, what it depends on beside it
 * and not below.
 * @returns the path of node_modules
 */
export function installPackage(folder: string): string {
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, 'whisklens'), { recursive: true })
  const listed = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [{ filename }] = JSON.parse(listed) as [{ filename: string }]
  execFileSync('tar', ['-xzf', join(folder, filename), '--strip-components=1'], {
    cwd: join(modules, 'whisklens'),
  })
  for (const name of readdirSync(join(root, 'node_modules')).filter((name) => !name.startsWith('.')))
    symlinkSync(join(root, 'node_modules', name), join(modules, name))
  return modules
}
