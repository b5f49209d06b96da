import { CommanderError } from 'commander'
import type { ErrorCode } from '../../error-codes'
import { hintOf, messageOf, OpenWhiskError, WhisklensError } from '../../errors'
import { exitCode, printable, runnable } from './output'

interface Failure {
  code: ErrorCode
  message: string
  hint?: string
  exit: number
}

/** Commander's messages are `error: …`, sometimes followed by a line with a suggestion. */
function usageFailure({ code, message }: CommanderError, command = ''): Failure {
  const [first = '', suggestion] = message.replace(/^error: /, '').split('\n')
  const help =
    code === 'commander.unknownCommand' || command.startsWith('-')
      ? 'whisklens --help lists the commands.'
      : `whisklens ${command} --help shows its usage.`
  const hint = suggestion ? `${suggestion.replace(/^\((.*)\)$/, '$1')} ${help}` : help
  return { code: 'usage', message: first, hint, exit: exitCode.usage }
}

const notDeployed =
  'Deploy Whisklens: whisklens deploy. A local mode deploys it when it starts: whisklens up.'

function failureOf(thrown: unknown, command?: string): Failure {
  if (thrown instanceof CommanderError) return usageFailure(thrown, command)
  if (thrown instanceof WhisklensError) {
    const isMissing = thrown instanceof OpenWhiskError && thrown.status === 404
    const { code, message } = thrown
    const hint = isMissing && !thrown.hint ? notDeployed : hintOf(thrown)
    return { code, message, hint, exit: exitCode.failed }
  }
  return { code: 'internal', message: messageOf(thrown), hint: bug, exit: exitCode.failed }
}

const bug = 'This is a bug in Whisklens. Set DEBUG=whisklens for a stack trace.'

/** Joins the lines of a message from a parser or another program. */
const oneLine = (text: string): string => printable(text.trim().replace(/\s*\n\s*/g, ' '))

/**
 * Prints an error on stderr: a line with the message and one with the hint, or one line of JSON. `DEBUG=whisklens` adds the
 * stack trace.
 * @param args the command line
 * @returns the exit code
 */
export function reportFailure(thrown: unknown, args: string[]): number {
  const { code, message, hint, exit } = failureOf(thrown, args[0])
  const isTraced = process.env.DEBUG === 'whisklens' && thrown instanceof Error
  if (args.includes('--json')) {
    process.stderr.write(`${JSON.stringify({ error: { code, message, hint } })}\n`)
  } else {
    process.stderr.write(`error: ${oneLine(message)}\n${hint ? `hint: ${runnable(oneLine(hint))}\n` : ''}`)
  }
  if (isTraced) process.stderr.write(`${thrown.stack}\n`)
  return exit
}
