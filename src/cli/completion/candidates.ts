import type { Argument, Command, Option } from 'commander'

export interface Candidate {
  value: string
  /** One line. */
  about?: string
}

/** Completions of the word at the cursor. */
export interface Completion {
  candidates: Candidate[]
  /** Whether paths are completed as well. */
  files: 'none' | 'files' | 'folders'
}

/** The command line before the word at the cursor. */
export interface Given {
  /** Command name, without `whisklens`. */
  command: string
  /** Option values by long name. */
  options: Record<string, string>
}

/** Completes values for a `<placeholder>` of the help. */
export type Values = (placeholder: string, given: Given) => Promise<Completion>

const nothing: Completion = { candidates: [], files: 'none' }

/**
 * Completes a command line from the tree of commands.
 * @param words the words after `whisklens`, up to the one at the cursor, which may be incomplete
 */
export async function completionOf(program: Command, words: string[], values: Values): Promise<Completion> {
  const line = joinAssignments(words)
  const current = line.pop() ?? ''
  const { command, given, operands, expecting, isEnded } = parseLine(program, line)
  const complete = (text: string) => values(text, given)

  if (expecting) return valuesOfOption(expecting, complete)
  const [, name, value] = /^(--[^=]+)=(.*)$/s.exec(current) ?? []
  if (name !== undefined && value !== undefined && !isEnded) {
    const option = findOption(command, name)
    return option ? valuesOfOption(option, complete) : nothing
  }
  if (current.startsWith('-') && current !== '-' && !isEnded)
    return { ...nothing, candidates: optionsOf(command) }
  const subcommands = command.createHelp().visibleCommands(command)
  if (command.commands.length > 0) {
    const candidates = subcommands.map((one) => ({ value: one.name(), about: one.description() }))
    return operands === 0 ? { ...nothing, candidates } : nothing
  }
  const { registeredArguments: args } = command
  const argument = args[operands] ?? args.findLast(({ variadic }) => variadic)
  return argument ? valuesOfArgument(argument, complete) : nothing
}

/** Joins option assignments again: bash splits `--limits=openwhisk` into three words. */
function joinAssignments(words: string[]): string[] {
  const line: string[] = []
  for (const [index, word] of words.entries()) {
    const isPart = (word === '=' || words[index - 1] === '=') && line.at(-1)?.startsWith('--')
    if (isPart) line.push(`${line.pop()}${word}`)
    else line.push(word)
  }
  return line
}

/** The parsed words before the cursor. */
interface Line {
  command: Command
  given: Given
  /** Number of arguments so far. */
  operands: number
  /** The option that expects a value next. */
  expecting?: Option
  /** `--` was seen: no more options. */
  isEnded: boolean
}

/** Parses complete words as commander does, without validating values. */
function parseLine(program: Command, words: string[]): Line {
  const line: Line = { command: program, given: { command: '', options: {} }, operands: 0, isEnded: false }
  for (const word of words) {
    if (line.expecting) {
      line.given.options[line.expecting.long ?? ''] = word
      line.expecting = undefined
    } else if (line.isEnded || !word.startsWith('-') || word === '-') readOperand(line, word)
    else if (word === '--') line.isEnded = true
    else readOption(line, word)
  }
  line.given.command = namesOf(line.command).join(' ')
  return line
}

function readOperand(line: Line, word: string): void {
  const next = line.operands === 0 ? line.command.commands.find((one) => one.name() === word) : undefined
  if (next) line.command = next
  else line.operands++
}

function readOption(line: Line, word: string): void {
  const [name = '', value] = word.split(/=(.*)/s)
  const option = findOption(line.command, name)
  if (value !== undefined) line.given.options[name] = value
  else if (option?.required) line.expecting = option
}

const namesOf = (command: Command): string[] =>
  command.parent ? [...namesOf(command.parent), command.name()] : []

const findOption = (command: Command, name: string): Option | undefined =>
  command.options.find(({ short, long }) => name === short || name === long)

const optionsOf = (command: Command): Candidate[] =>
  command
    .createHelp()
    .visibleOptions(command)
    .map(({ long, short, description }) => ({ value: long ?? short ?? '', about: description }))

const choicesOf = (choices: readonly string[]): Completion => ({
  ...nothing,
  candidates: choices.map((value) => ({ value })),
})

const valuesOfOption = async (
  { argChoices, flags }: Option,
  complete: (text: string) => Promise<Completion>,
) => (argChoices ? choicesOf(argChoices) : complete(/<([^>]+)>/.exec(flags)?.[1] ?? ''))

const valuesOfArgument = async (argument: Argument, complete: (text: string) => Promise<Completion>) =>
  argument.argChoices ? choicesOf(argument.argChoices) : complete(argument.name())
