import type { Argument, Command, Option } from 'commander'

export interface Candidate {
  value: string
  /** One line. */
  about?: string
}

/** What may stand at the cursor. */
export interface Completion {
  candidates: Candidate[]
  /** Whether paths may stand there as well. */
  files: 'none' | 'files' | 'folders'
}

/** What a command line holds before the word at the cursor. */
export interface Given {
  /** The name of the command, without `whisklens`. */
  command: string
  /** The values of options, by their long names. */
  options: Record<string, string>
}

/** Tells the values of what help calls `<placeholder>`. */
export type Values = (placeholder: string, given: Given) => Promise<Completion>

const nothing: Completion = { candidates: [], files: 'none' }

/**
 * What can follow on a command line, by the tree of commands that parses it.
 * @param words those after the program's name; the last is the one at the cursor, whole or in part
 */
export async function completionOf(program: Command, words: string[], values: Values): Promise<Completion> {
  const line = joined(words)
  const current = line.pop() ?? ''
  const { command, given, operands, expecting, isEnded } = read(program, line)
  const ask = (text: string) => values(text, given)

  if (expecting) return valuesOfOption(expecting, ask)
  const [, name, value] = /^(--[^=]+)=(.*)$/s.exec(current) ?? []
  if (name !== undefined && value !== undefined && !isEnded) {
    const option = findOption(command, name)
    return option ? valuesOfOption(option, ask) : nothing
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
  return argument ? valuesOfArgument(argument, ask) : nothing
}

/** Bash makes three words of `--limits=openwhisk`. */
function joined(words: string[]): string[] {
  const line: string[] = []
  for (const [index, word] of words.entries()) {
    const isPart = (word === '=' || words[index - 1] === '=') && line.at(-1)?.startsWith('--')
    if (isPart) line.push(`${line.pop()}${word}`)
    else line.push(word)
  }
  return line
}

/** What the words before the cursor come to. */
interface Line {
  command: Command
  given: Given
  /** How many arguments of the command there are already. */
  operands: number
  /** The option whose value is to follow. */
  expecting?: Option
  /** After `--` there are no more options. */
  isEnded: boolean
}

/** Reads complete words as commander would, without checking any value. */
function read(program: Command, words: string[]): Line {
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

const valuesOfOption = async ({ argChoices, flags }: Option, ask: (text: string) => Promise<Completion>) =>
  argChoices ? choicesOf(argChoices) : ask(/<([^>]+)>/.exec(flags)?.[1] ?? '')

const valuesOfArgument = async (argument: Argument, ask: (text: string) => Promise<Completion>) =>
  argument.argChoices ? choicesOf(argument.argChoices) : ask(argument.name())
