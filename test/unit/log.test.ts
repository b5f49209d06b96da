import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseLines } from '../helpers/clients'

it('Lines name the batch and the activation, and contain no secrets', () => {
  const program = join(__dirname, '..', 'helpers', 'log-child.ts')
  const { stderr } = spawnSync(process.execPath, ['--import', 'tsx', program], { encoding: 'utf8' })
  const lines = parseLines<Record<string, unknown>>(stderr)
  const of = (id: string) =>
    lines.filter(({ activation }) => activation === id).map(({ batch, msg }) => [batch, msg])
  const linesOf = (batch: string) => [
    [batch, 'begun'],
    ['other', 'of another batch'],
    ['named', 'named in the line'],
    [batch, 'settings'],
    [batch, 'the action failed'],
  ]
  expect(of('a1')).toEqual(linesOf('b1'))
  expect(of('a2')).toEqual(linesOf('b2'))
  expect(lines).toHaveLength(10)
  expect(stderr).not.toMatch(/secret\.example|"secret"/)
})
