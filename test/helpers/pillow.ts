import { execFileSync } from 'node:child_process'

/** A Python with Pillow. */
export const python = process.env.PYTHON ?? 'python3'

/** Why tests with Pillow cannot run here; undefined if they can. */
export function pillowMissing(): string | undefined {
  try {
    execFileSync(python, ['-c', 'import PIL.Image'], { stdio: 'ignore' })
    return undefined
  } catch {
    return `${python} has no Pillow`
  }
}
