import { programOnPath } from '../conformance/wsk'
import { needs } from '../helpers/needs'
import { countBlock } from './counts'
import { failure } from './failure'
import { brokenLinks } from './links'
import type { Block } from './markdown'
import { PageSession } from './page-session'
import { nameOfPage, readPageAt, slugOf } from './pages'
import { diagnosticsOf } from './programs'
import { isDisguised, isExample, isKnown, runBlock } from './run-block'
import { sharedFolder } from './shared'
import { commandsOf } from './shell'

/** Title of a block: its first command or line. */
function titleOf({ language, text }: Block): string {
  const lines = language === 'sh' ? commandsOf(text) : text.trim().split('\n')
  return (lines[0] ?? '').split('\n')[0]?.trim().slice(0, 80) ?? ''
}

function whyLeftOut({ directives: { leftOut, needs: program } }: Block): string | undefined {
  if (leftOut) return leftOut
  return program && !programOnPath(program) ? `${program} is not installed` : undefined
}

/** Registers a test per example, in order: later examples depend on earlier ones. */
export function testPage(path: string): void {
  const name = nameOfPage(path)
  const { blocks } = readPageAt(path)
  let session: PageSession | undefined
  let failed: string | undefined

  afterAll(() => session?.close())

  it(`${name}: links and images lead somewhere`, () => expect(brokenLinks(path)).toEqual([]))

  it(`${name}: the languages of its blocks are known`, () => {
    const unknown = blocks.filter((block) => !isKnown(block.language) || isDisguised(block))
    expect(unknown.map(({ line, language }) => `line ${line}: ${language}`)).toEqual([])
  })

  it(`${name}: its programs have the right types`, () =>
    expect(diagnosticsOf(sharedFolder(), path, blocks)).toEqual([]))

  for (const block of blocks.filter((one) => isKnown(one.language) && isExample(one))) {
    const title = `${name} ${block.line}: ${titleOf(block)}`
    needs(whyLeftOut(block)).it(title, async () => {
      if (failed) throw failure(`Not run: ${failed} has failed, and the rest of the page builds on it`)
      failed = `${name} ${block.line}`
      session ??= new PageSession(slugOf(path))
      await runBlock({ page: path, block, session })
      countBlock(name, block)
      failed = undefined
    })
  }
}
