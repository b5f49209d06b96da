import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { InvalidInputError, messageOf, WhisklensError } from '../../../errors'

/** Milliseconds. Downloads up to a gigabyte, possibly over a slow connection. */
const timeout = 3_600_000

const execute = promisify(execFile)

/**
 * Runs one program of the installation.
 * @throws InvalidInputError if the program is not installed
 * @throws WhisklensError `install_failed` with the last line of stderr
 */
export async function runStep(cwd: string, command: string, args: string[]): Promise<void> {
  try {
    await execute(command, args, { cwd, timeout, maxBuffer: 64 * 1024 * 1024 })
  } catch (cause) {
    const { code, stderr } = cause as { code?: unknown; stderr?: string }
    if (code === 'ENOENT') {
      throw new InvalidInputError('tool_missing', `${command} is not installed`, {
        hint: 'The installation needs npm, Python 3 with pip, and a C++ compiler: apt-get install python3-pip g++',
        cause,
      })
    }
    const last = stderr?.trim().split('\n').at(-1) || messageOf(cause)
    throw new WhisklensError('install_failed', `${command} ${args[0]} failed: ${last}`, { cause })
  }
}
