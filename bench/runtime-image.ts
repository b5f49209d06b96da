import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root, type Start } from './processes'

/** Start options of the runtime image, from its Dockerfile. */
export async function imageStart(): Promise<Start> {
  const dockerfile = await readFile(join(root, 'Dockerfile'), 'utf8')
  return {
    environment: Object.fromEntries(
      [...dockerfile.matchAll(/((?:MALLOC|TF)_\w+)=(\d+)/g)].map(([, name, value]) => [name, value]),
    ),
    options: [...dockerfile.matchAll(/"(--[a-z-]+(=\d+)?)"/g)].map(([, option]) => option as string),
  }
}
