import { Command, type Help, type Option } from 'commander'
import { commands } from '../../src/cli/commands'
import { createProgram } from '../../src/cli/program'
import { connectionOptions, storeOptions } from '../../src/cli/shared/connection'
import { exitCode } from '../../src/cli/shared/output'
import { block, code, generatedBy, page, table } from './markdown'

/*
 * cli.md, from the tree of commands that parses command lines.
 */

const exitCodes: Record<keyof typeof exitCode, string> = {
  ok: 'Success.',
  failed: 'Failure; the reason is on stderr.',
  usage: 'The command line is not valid.',
  someInError: 'Finished, but some images are in error.',
  interrupted: 'Interrupted by Ctrl-C.',
}

/** Escapes plain text for Markdown. */
const escaped = (text: string): string => text.replace(/[<*]/g, '\\$&')

const nameOf = (command: Command): string =>
  command.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name()

/** The help text after the lists of a command. */
function textAfter(command: Command): string {
  let help = ''
  command.configureOutput({
    writeOut: (text) => {
      help += text
    },
  })
  command.outputHelp()
  return help.slice(command.helpInformation().length)
}

/** A paragraph of the help; aligned lines are kept as code. */
const paragraph = (text: string): string => (/^ /m.test(text) ? block('text', text) : escaped(text.trim()))

function notesAndExamples(command: Command): string[] {
  const [notes = '', examples] = textAfter(command)
    .trim()
    .split(/(?:^|\n)Examples:\n/)
  const paragraphs = notes
    .split(/\n{2,}/)
    .filter(Boolean)
    .map(paragraph)
  if (!examples) return paragraphs
  const lines = examples.replace(/^ {2}/gm, '')
  return [...paragraphs, block('sh', lines, 'left out: the test of the help runs these examples')]
}

function argumentsOf(command: Command): string[] {
  const help = command.createHelp()
  const rows = help
    .visibleArguments(command)
    .map((argument) => [
      code(argument.name()),
      argument.required ? 'required' : 'optional',
      escaped(help.argumentDescription(argument)),
    ])
  return rows.length > 0 ? [table(['argument', '', 'meaning'], rows)] : []
}

/** Options of commands that connect to a deployment. */
const connecting = connectionOptions(new Command()).options

const isOneOf =
  (options: readonly Option[]) =>
  ({ flags, description }: Option): boolean =>
    options.some((option) => option.flags === flags && option.description === description)

const link = '[connection options](#connection-options)'

/** Names the options of a command that are described once for all. */
function connectingOf(options: Option[]): string[] {
  if (options.length === 0) return []
  if (options.length === connecting.length) return [`And the ${link}.`]
  const isStoreOnly = options.length === storeOptions(new Command()).options.length
  const without = connecting
    .filter((option) => !isOneOf(options)(option))
    .map(({ long }) => code(String(long)))
  return [
    isStoreOnly ? `And the ${link} of the object store.` : `And the ${link} except ${without.join(', ')}.`,
  ]
}

function optionsOf(command: Command): string[] {
  const help = command.createHelp()
  const options = help.visibleOptions(command).filter(({ long }) => long !== '--help')
  const shared = options.filter(isOneOf(connecting))
  const own = options.filter((option) => !shared.includes(option))
  const rows = own.map((option) => [code(option.flags), escaped(meaningOf(option, help))])
  return [...(rows.length > 0 ? [table(['option', 'meaning'], rows)] : []), ...connectingOf(shared)]
}

/** @throws Error if the option has no description */
function meaningOf(option: Option, help: Help): string {
  if (option.description) return help.optionDescription(option)
  throw new Error(`The option ${option.flags} has no description`)
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

function sectionsOf(command: Command, level = 2): string[] {
  const help = command.createHelp()
  const name = nameOf(command)
  const children = help.visibleCommands(command).filter((child) => child.name() !== 'help')
  return [
    `${'#'.repeat(level)} ${name}`,
    escaped(sentence(command.description())),
    ...(children.length > 0 ? [] : [code(`${name} ${command.usage()}`)]),
    ...argumentsOf(command),
    ...optionsOf(command),
    ...notesAndExamples(command),
    ...children.flatMap((child) => sectionsOf(child, level + 1)),
  ]
}

export async function cliPage(): Promise<string> {
  const program = await createProgram(commands, [])
  const visible = program.createHelp().visibleCommands(program)
  const named = visible.filter((command) => command.name() !== 'help')
  return page(
    '# Command line',
    generatedBy('the commands in `src/cli`'),
    `Run \`npx whisklens\` in a clone or in a project that has the package; this page leaves out \`npx\`. Every command has \`--help\`.`,
    `Data goes to stdout, progress and notes to stderr. With \`--json\`, an error is \`{"error": {"code", "message", "hint"}}\` on stderr
([errors.md](errors.md)). [settings.md](settings.md) says where commands look for settings.`,
    table(
      ['exit code', 'meaning'],
      Object.entries(exitCode).map(([name, value]) => [value, exitCodes[name as keyof typeof exitCode]]),
    ),
    '## Connection options',
    'Commands that connect to a deployment have these options; those that use only the object store have `--data` and `--insecure`.',
    table(
      ['option', 'meaning'],
      connecting.map(({ flags, description }) => [code(flags), escaped(description)]),
    ),
    ...named.flatMap((command) => sectionsOf(command)),
  )
}
