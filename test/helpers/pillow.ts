import { execFileSync } from 'node:child_process'

/** The Python that has Pillow, if any has. */
export const python = process.env.PYTHON ?? 'python3'

/** Why tests with Pillow cannot run here; nothing when they can. */
export function pillowMissing(): string | undefined {
  try {
    execFileSync(python, ['-c', 'import PIL.Image'], { stdio: 'ignore' })
    return undefined
  } catch {
    return `${python} has no Pillow`
  }
}
