import { CommanderError } from 'commander'
import type { ErrorCode } from '../error-codes'
import { hintOf, messageOf, OpenWhiskError, WhisklensError } from '../errors'
import { exitCode } from './output'

interface Failure {
  code: ErrorCode
  message: string
  hint?: string
  exit: number
}

/** Commander's message is `error: …`, at times with a suggestion on a line of its own. */
function usageFailure({ code, message }: CommanderError, command = ''): Failure {
  const [first = '', suggestion] = message.replace(/^error: /, '').split('\n')
  const help =
    code === 'commander.unknownCommand' || command.startsWith('-')
      ? 'whisklens --help lists the commands.'
      : `whisklens ${command} --help shows how it is used.`
  const hint = suggestion ? `${suggestion.replace(/^\((.*)\)$/, '$1')} ${help}` : help
  return { code: 'usage', message: first, hint, exit: exitCode.usage }
}

const notDeployed =
  'Deploy Whisklens there: whisklens deploy. In the local mode, start it again: whisklens up.'

function failureOf(thrown: unknown, command?: string): Failure {
  if (thrown instanceof CommanderError) return usageFailure(thrown, command)
  if (thrown instanceof WhisklensError) {
    const isMissing = thrown instanceof OpenWhiskError && thrown.status === 404
    const { code, message } = thrown
    const hint = isMissing && !thrown.hint ? notDeployed : hintOf(thrown)
    return { code, message, hint, exit: exitCode.failed }
  }
  return { code: 'internal', message: messageOf(thrown), exit: exitCode.failed }
}

/**
 * Says on stderr what went wrong: a line for people, or one of JSON. Only what was not foreseen, and so is a mistake of
 * ours, comes with its stack.
 * @param args what whisklens was called with
 * @returns the exit code
 */
export function reportFailure(thrown: unknown, args: string[]): number {
  const { code, message, hint, exit } = failureOf(thrown, args[0])
  if (args.includes('--json')) {
    process.stderr.write(`${JSON.stringify({ error: { code, message, hint } })}\n`)
    return exit
  }
  process.stderr.write(`error: ${message}\n${hint ? `hint: ${hint}\n` : ''}`)
  if (code === 'internal' && thrown instanceof Error) process.stderr.write(`${thrown.stack}\n`)
  return exit
}
