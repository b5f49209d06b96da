import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './pages'

/* Pages with planted mistakes: each must fail. */

const pages: Record<string, string> = {
  'command.md': `# A
\`\`\`sh
here=one
\`\`\`
\`\`\`sh
echo "$here"
echo before
ls no-such-file
echo after
\`\`\`
\`\`\`sh
echo later
\`\`\`
`,
  'right.md': `<!-- file: given.txt -->
\`\`\`text
written
\`\`\`
<!-- prints: written -->
\`\`\`sh
cat given.txt
\`\`\`
<!-- exit: 3 -->
\`\`\`sh
exit 3
\`\`\`
<!-- prints: 6 -->
\`\`\`ts
const six: number = 2 * 3
console.log(six)
\`\`\`
<!-- left out: it takes a cloud account -->
\`\`\`sh
false
\`\`\`
<!-- needs: no-such-program -->
\`\`\`sh
no-such-program
\`\`\`
`,
  'exit.md': '<!-- exit: 3 -->\n```sh\ntrue\n```\n',
  'prints.md': '<!-- prints: a -->\n```sh\necho b\n```\n',
  'types.md': '<!-- left out: slow -->\n```ts\nconst six: string = 2 * 3\n```\n',
  'throws.md': '```js\nthrow new Error("planted")\n```\n',
  'json.md': '```json\n{"a": 1,}\n```\n',
  'schema.md': '<!-- check: label -->\n```json\n{"label": "cat"}\n```\n',
  'yaml.md': '```yaml\na: [\n```\n',
  'http.md': '```http\nGET /no/such/path HTTP/1.1\nHost: 127.0.0.1:3233\n```\n',
  'language.md': '```console\ntrue\n```\n',
  'disguised.md': '```\nnpx whisklens status\n```\n',
  'indented.md': 'Text\n\n    whisklens status\n',
  'directive.md': '<!-- leftout: slow -->\n```sh\ntrue\n```\n',
  'link.md': '[a](right.md#nowhere)\n',
  'image.md': '![a](none.png)\n',
}

let folder: string
let output: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'whisklens-planted-'))
  mkdirSync(join(folder, 'docs'))
  writeFileSync(join(folder, 'README.md'), '# Planted\n')
  for (const [name, text] of Object.entries(pages)) writeFileSync(join(folder, 'docs', name), text)
  const own = JSON.stringify(require(join(root, 'jest.docs.config.js')))
  const config = { ...JSON.parse(own.replaceAll('<rootDir>', root)), rootDir: folder }
  config.testMatch = [join(folder, '**/*.md')]
  config.transform = Object.fromEntries(
    Object.entries<string | [string, object]>(config.transform).map(([pattern, to]) => [
      pattern,
      Array.isArray(to) ? [require.resolve(to[0]), to[1]] : to,
    ]),
  )
  writeFileSync(join(folder, 'jest.config.json'), JSON.stringify(config))
  const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js')
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [jest, '--config', join(folder, 'jest.config.json'), '--verbose', '-w', '2'],
    { cwd: folder, encoding: 'utf8' },
  )
  output = stdout + stderr
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('a run of pages with planted mistakes', () => {
  it('names the page and the line of a command that fails, and shows what it printed', () => {
    expect(output).toContain('● docs/command.md 5: echo "$here"')
    expect(output).toContain('line 8: ls no-such-file')
    expect(output).toMatch(
      /exit code 2, expected 0\s+--- stdout\s+one\s+before\s+--- stderr\s+ls: .*no-such-file/,
    )
    expect(output).not.toMatch(/^\s+after$/m)
  })

  it('does not run what builds on it', () => {
    expect(output).toContain('● docs/command.md 11: echo later')
    expect(output).toContain('Not run: docs/command.md 5 has failed, and the rest of the page builds on it')
  })

  it('passes what does as the page says, and lists what it leaves out', () => {
    expect(output).toContain('PASS docs/right.md')
    expect(output).toContain('skipped: docs/right.md 19: false: it takes a cloud account (1 test)')
    expect(output).toContain(
      'skipped: docs/right.md 23: no-such-program: no-such-program is not installed (1 test)',
    )
  })

  it.each([
    ['exit.md', 'exit code 0, expected 3'],
    ['prints.md', 'stdout lacks "a"'],
    ['types.md', "line 3: error TS2322: Type 'number' is not assignable to type 'string'"],
    ['throws.md', 'Error: planted'],
    ['json.md', 'line 1: Expected double-quoted property name in JSON'],
    ['schema.md', 'line 2: this is no label'],
    ['yaml.md', 'line 1: Flow sequence'],
    ['http.md', 'answered with 404'],
    ['language.md', 'line 1: console'],
    ['disguised.md', 'line 1: '],
    ['indented.md', 'line 3: (indented)'],
    ['directive.md', 'line 2: There is no directive of the name "leftout"'],
    ['link.md', 'line 1: right.md#nowhere'],
    ['image.md', 'line 1: none.png'],
  ])('fails %s with: %s', (page, message) => {
    expect(output).toContain(`FAIL docs/${page}`)
    expect(output).toContain(message)
  })

  it('counts it all in its last lines', () => {
    expect(output).toContain(
      '5 examples of 2 pages: 3 blocks of shell with 3 commands, 1 programs, 0 requests, 0 of JSON or YAML',
    )
    expect(output.trimEnd().split('\n')).toContainEqual(
      expect.stringMatching(/^\d+ passed, 1\d failed, 3 skipped$/),
    )
  })
})
