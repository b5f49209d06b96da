import stringWidth from 'string-width'
import { columns } from '../../src/cli/shared/columns'
import { needs } from '../helpers/needs'
import { openTerminal, terminalMissing } from '../helpers/terminal'
import { bareEnvironment, bin, run, temporaryFolder } from './cli-run'

const folder = temporaryFolder()

const rows = [
  ['name', 'state', 'about'],
  ['efficientnet-lite0', 'box', 'ImageNet labels, by a network that is small and quick'],
  ['cat', 'added', '猫と犬の写真を見分けるモデル'],
]

const widest = (text: string) => Math.max(...text.split('\n').map((line) => stringWidth(line)))
const without = (text: string) => text.replace(/\s/g, '')

describe('columns', () => {
  it('have the width of their content without a terminal', () => {
    expect(columns(rows)).toBe(
      `name                state  about
efficientnet-lite0  box    ImageNet labels, by a network that is small and quick
cat                 added  猫と犬の写真を見分けるモデル
`,
    )
  })

  it('fit the terminal: the widest is wrapped at spaces, and narrow ones are kept', () => {
    expect(columns(rows.slice(0, 2), 50)).toBe(
      `name                state  about
efficientnet-lite0  box    ImageNet labels, by a
                           network that is small
                           and quick
`,
    )
  })

  it.each([60, 40, 30])('lose nothing at width %d, including wide characters', (width) => {
    const text = columns(rows, width)
    expect(widest(text)).toBeLessThanOrEqual(width)
    const cells = rows.flat().join('')
    expect([...without(text)].sort()).toEqual([...without(cells)].sort())
  })

  it('break words without spaces, between characters', () => {
    const key = `photos/${'👩‍👩‍👧'.repeat(20)}.jpg`
    const text = columns([[key, 'cat']], 30)
    expect(widest(text)).toBeLessThanOrEqual(30)
    expect(without(text)).toContain('👩‍👩‍👧👩‍👩‍👧')
    expect(text.match(/👩‍👩‍👧/g)).toHaveLength(20)
  })
})

needs(terminalMissing).describe('whisklens model list', () => {
  const env = () => bareEnvironment(folder.path)

  it('fits the terminal', async () => {
    const terminal = openTerminal(`'${process.execPath}' '${bin}' model list`, { columns: 80, env: env() })
    const text = await terminal.end()
    expect(text).toContain('efficientnet-lite0-int8 ')
    expect(widest(text)).toBeLessThanOrEqual(80)
  })

  it('has a line per model when piped', async () => {
    const { lines } = await run(folder.path, ['model', 'list'], env())
    expect(widest(lines.join('\n'))).toBeGreaterThan(100)
    for (const line of lines.slice(1)) expect(line).toMatch(/^\S+ +(box|added|available) /)
  })
})
