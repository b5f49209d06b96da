import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { commandsOf, isEndless, scriptOf, startsOwnLocalMode } from './shell'

describe('the commands of a block', () => {
  it.each<[string, string[]]>([
    ['a\nb # c\n', ['a', 'b # c']],
    ['# remark\n\n  # remark\na', ['a']],
    ['a \\\n  --b\nc', ['a \\\n  --b', 'c']],
    ['curl -d \'{\n  "a": 1\n}\' x\ny', ['curl -d \'{\n  "a": 1\n}\' x', 'y']],
    ['a |\n  b &&\n  c\nd', ['a |\n  b &&\n  c', 'd']],
    ["echo it\\'s\nb", ["echo it\\'s", 'b']],
    ['a # it’s "open\nb', ['a # it’s "open', 'b']],
    ['cat <<EOF > f\nb\nEOF\nc', ['cat <<EOF > f', 'c']],
    ['', []],
  ])('of %j', (script, commands) => {
    expect(commandsOf(script)).toEqual(commands)
  })

  it('lose nothing but remarks and empty lines', () => {
    const line = fc.stringMatching(/^[a-z'"#\\ |&]{0,8}$/)
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const found = commandsOf(lines.join('\n')).join('\n')
        for (const one of lines) if (!/^\s*(#|$)/.test(one)) expect(found).toContain(one.trim())
      }),
    )
  })
})

describe('a line that does not end by itself', () => {
  it.each([
    ['npm start', true],
    ['npm start   # prints the address', true],
    ['WHISKLENS_ENGINE=wasm npx whisklens up', true],
    ['whisklens up --data other --port 0', false],
    ['whisklens watch', false],
    ['npx whisklens watch   # the newest', false],
  ])('%s', (line, isLocalMode) => {
    expect([isEndless(line), startsOwnLocalMode(line)]).toEqual([true, isLocalMode])
  })

  it.each([
    'npm start &',
    'whisklens up --help',
    'whisklens watch spring',
    'whisklens watch "$batch"',
    'echo npm start',
    'whisklens upload photos/',
  ])('is not %s', (line) => expect(isEndless(line)).toBe(false))

  it('is run in the background, quoted as it stands, on the same line', () => {
    const script = scriptOf("a\nnpm start   # it's up\nb")
    expect(script.split('\n')).toHaveLength(3)
    const printed = execFileSync('bash', [
      '-c',
      `in_background() { echo "$1"; }; a() { :; }; b() { :; }; ${script}`,
    ])
    expect(printed.toString()).toBe("npm start   # it's up\n")
  })
})
