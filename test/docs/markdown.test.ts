import fc from 'fast-check'
import { anchorOf, readPage } from './markdown'

describe('the blocks of a page', () => {
  it('have their line, their language and the directives of the comments right above', () => {
    const page = readPage(`# Title

<!-- exit: 3 -->
<!-- prints: a b -->
\`\`\`sh
false
\`\`\`

<!-- left out: it takes a cloud account -->

Some text: the comment is not about the block.

\`\`\`
output
\`\`\`

- in a list

  <!-- file: a.json --> <!-- check: record -->
  \`\`\`json
  {}
  \`\`\`
`)
    expect(page.blocks).toEqual([
      { line: 5, language: 'sh', text: 'false\n', directives: { exit: 3, prints: ['a b'] } },
      { line: 13, language: '', text: 'output\n', directives: { prints: [] } },
      {
        line: 20,
        language: 'json',
        text: '{}\n',
        directives: { prints: [], file: 'a.json', check: 'record' },
      },
    ])
  })

  it('take a comment of several lines, and leave remarks for authors alone', () => {
    const [block] = readPage('<!-- before: a\nb -->\n<!-- A remark. -->\n```sh\nc\n```\n').blocks
    expect(block?.directives).toEqual({ before: 'a\nb', prints: [] })
  })

  it('are found where they are indented instead of fenced', () => {
    expect(readPage('Text\n\n    whisklens status\n').blocks).toMatchObject([
      { line: 3, language: '(indented)' },
    ])
  })

  it.each(['leftout', 'constructor'])('tell of a directive that is none: %s', (name) => {
    const [block] = readPage(`<!-- ${name}: slow -->\n\`\`\`sh\n\`\`\`\n`).blocks
    expect(block?.directives.problem).toBe(`There is no directive of the name "${name}"`)
  })

  it('are all found, at the lines where they stand, whatever is between them', () => {
    const text = fc.stringMatching(/^[a-z][a-z ]{0,10}$/)
    const block = fc.record({
      language: fc.constantFrom('sh', 'ts', 'json', 'text', ''),
      lines: fc.array(text, { maxLength: 4 }),
      fence: fc.constantFrom('```', '````', '~~~'),
      between: fc.array(
        fc.oneof(text, fc.constantFrom('', '# A', '| a | b |', '<!-- A remark. -->', '> a')),
        { maxLength: 5 },
      ),
    })
    fc.assert(
      fc.property(fc.array(block), (given) => {
        const lines: string[] = []
        const expected = given.map(({ language, lines: inside, fence, between }) => {
          lines.push(...between, '', fence + language, ...inside, fence)
          const line = lines.length - inside.length - 1
          return { line, language, text: inside.map((one) => `${one}\n`).join('') }
        })
        const found = readPage(lines.join('\n')).blocks.map(({ directives: _, ...rest }) => rest)
        expect(found).toEqual(expected)
      }),
    )
  })
})

describe('the anchors of a page', () => {
  it.each([
    ['A private authority', 'a-private-authority'],
    ['`labels.json`: how labels are shown', 'labelsjson-how-labels-are-shown'],
    ['1. An object store', '1-an-object-store'],
    ['What to do when …', 'what-to-do-when-'],
    ['image_corrupt', 'image_corrupt'],
    ['Bäume & Häuser', 'bäume--häuser'],
  ])('are those of GitHub: %s', (heading, anchor) => {
    expect([...readPage(`## ${heading}`).anchors]).toEqual([anchor])
  })

  it('are told apart by numbers, and include ids in HTML', () => {
    const { anchors } = readPage('# A\n\n## A\n\n<a id="here"></a>\n\n<!-- <a id="gone"></a> -->\n\n# A')
    expect([...anchors]).toEqual(['a', 'a-1', 'here', 'a-2'])
  })

  it('have no space and no capital', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (heading) => !/[ A-Z#]/.test(anchorOf(heading))))
  })
})

it('the links of a page are those of Markdown and of HTML, in tables and pictures as well', () => {
  const { links } = readPage(`[a](b.md#c)

<p><img src="docs/d.png"> <a href="e.md">e</a></p>

| f |
|---|
| [f](f.md) |

<!-- <img src="gone.png"> -->
\`[no](link)\` ![g](g.png)
`)
  expect(links).toEqual([
    { line: 1, target: 'b.md#c' },
    { line: 3, target: 'docs/d.png' },
    { line: 3, target: 'e.md' },
    { line: 7, target: 'f.md' },
    { line: 10, target: 'g.png' },
  ])
})
