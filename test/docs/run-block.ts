import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { prettifyError } from 'zod'
import { failure } from './failure'
import { sendRequest } from './http'
import type { Block } from './markdown'
import type { Outcome, PageSession } from './page-session'
import { emittedProgram } from './programs'
import { schemas } from './schemas'
import { sharedFolder } from './shared'

/** A block in its page. */
export interface Placed {
  page: string
  block: Block
  session: PageSession
}

/** Runners by language. */
const runners: Record<string, (placed: Placed) => Promise<void>> = {
  sh: runShell,
  ts: runProgram,
  js: runProgram,
  http: runRequest,
  json: checkJson,
  yaml: checkYaml,
}

/** Languages of blocks that are only displayed: output and diagrams. */
const shown = ['', 'text']

export const isKnown = (language: string): boolean =>
  shown.includes(language) || Object.hasOwn(runners, language)

/**
 * Whether a block looks like commands although it is marked as output. The synopsis of a command, which has brackets,
 * is allowed.
 */
export const isDisguised = ({ language, text }: Block): boolean =>
  shown.includes(language) && /^(\$ |(npx|npm|whisklens|wsk|wskdeploy|curl|node) [^[<]*$)/m.test(text)

/** Whether a block is run or written to a file. */
export const isExample = ({ language, directives }: Block): boolean =>
  !shown.includes(language) || directives.file !== undefined

/** Runs or checks a block. @throws if it does not do what the page says */
export async function runBlock(placed: Placed): Promise<void> {
  const { block, session } = placed
  const { before, file, problem } = block.directives
  if (problem) throw failure(`line ${block.line}: ${problem}`)
  if (before) expectOutcome(await session.shell(before), { what: `before: ${before}`, line: block.line })
  const isData = block.language === 'json' || block.language === 'yaml'
  if (isData || !file) await runners[block.language]?.(placed)
  if (file) writeFile(join(session.folder, file), block.text)
}

function writeFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

async function runShell({ block, session }: Placed): Promise<void> {
  const outcome = await session.shell(block.text)
  const line = block.line + (outcome.failedLine ?? 0)
  const what = block.text.split('\n')[(outcome.failedLine ?? 1) - 1]?.trim() ?? ''
  expectOutcome(outcome, { what, line, code: block.directives.exit, prints: block.directives.prints })
}

async function runProgram({ page, block, session }: Placed): Promise<void> {
  const shared = sharedFolder()
  const file = join(session.folder, `block-${block.line}.mjs`)
  copyFileSync(emittedProgram(shared, page, block), file)
  const { exit: code, prints } = block.directives
  expectOutcome(await session.program(file), { what: 'the program', line: block.line, code, prints })
}

async function runRequest({ block, session }: Placed): Promise<void> {
  const { status, body } = await sendRequest(block.text, await session.connection())
  const expected = block.directives.status
  const isAsSaid = expected === undefined ? status >= 200 && status < 400 : status === expected
  const missing = block.directives.prints.filter((text) => !body.includes(text))
  if (!isAsSaid || missing.length > 0)
    throw failure(
      `line ${block.line}: answered with ${status}${missing.map((text) => `, without "${text}"`)}\n${body}`,
    )
}

async function checkJson({ block }: Placed): Promise<void> {
  checkValue(block, parsed(block, JSON.parse))
}

async function checkYaml({ block }: Placed): Promise<void> {
  for (const value of parsed(block, parseYaml)) checkValue(block, value)
}

const parseYaml = (text: string): unknown[] =>
  parseAllDocuments(text).map((document) => {
    if (document.errors[0]) throw document.errors[0]
    return document.toJS()
  })

function parsed<T>({ line, text }: Block, parse: (text: string) => T): T {
  try {
    return parse(text)
  } catch (thrown) {
    throw failure(`line ${line}: ${(thrown as Error).message}`)
  }
}

function checkValue({ line, directives: { check } }: Block, value: unknown): void {
  if (check === undefined) return
  const schema = Object.hasOwn(schemas, check) && schemas[check]
  if (!schema)
    throw failure(`line ${line}: there is no schema "${check}", but: ${Object.keys(schemas).join(', ')}`)
  const { error } = schema.safeParse(value)
  if (error) throw failure(`line ${line}: this is no ${check}\n${prettifyError(error)}`)
}

interface Expected {
  what: string
  line: number
  code?: number
  prints?: string[]
}

/** Compares an outcome; shows the output if it differs. */
function expectOutcome(outcome: Outcome, { what, line, code: expected = 0, prints = [] }: Expected): void {
  const { code, stdout, stderr } = outcome
  const missing = prints.filter((text) => !stdout.includes(text)).map((text) => `stdout lacks "${text}"`)
  const wrong = code === expected ? missing : [`exit code ${code}, expected ${expected}`, ...missing]
  if (wrong.length === 0) return
  throw failure(`line ${line}: ${what}\n${wrong.join('\n')}\n--- stdout\n${stdout}\n--- stderr\n${stderr}`)
}
