import MarkdownIt, { type Token } from 'markdown-it'
import { type Directives, readDirectives } from './directives'

/** A fenced block, or an indented one, which cannot have a language. */
export interface Block {
  /** Line of the opening fence, from 1. */
  line: number
  /** Info string of the fence; empty if there is none. */
  language: string
  text: string
  directives: Directives
}

export interface Link {
  line: number
  target: string
}

export interface Page {
  blocks: Block[]
  /** Valid fragments of links to the page. */
  anchors: Set<string>
  /** Links and images in Markdown and HTML. */
  links: Link[]
}

const parser = new MarkdownIt({ html: true })

/** Parses a page. */
export function readPage(text: string): Page {
  const tokens = parser.parse(text, {})
  return { blocks: blocksOf(tokens), anchors: anchorsOf(tokens), links: linksOf(tokens) }
}

const lineOf = ({ map }: Token): number => (map?.[0] ?? 0) + 1

const commentsIn = (html: string): string[] => html.match(/<!--.*?-->/gs) ?? []

function blocksOf(tokens: Token[]): Block[] {
  const blocks: Block[] = []
  let comments: string[] = []
  for (const token of tokens) {
    if (token.type === 'fence' || token.type === 'code_block') blocks.push(blockOf(token, comments))
    // Directives must directly precede their block.
    comments = token.type === 'html_block' ? [...comments, ...commentsIn(token.content)] : []
  }
  return blocks
}

function blockOf(token: Token, comments: string[]): Block {
  const line = lineOf(token)
  const [language = ''] = token.type === 'fence' ? token.info.trim().split(/\s+/) : ['(indented)']
  return { line, language, text: token.content, directives: readDirectives(comments) }
}

/** GitHub's anchor of a heading. */
export const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Mark}\p{Number}\p{Connector_Punctuation} -]/gu, '')
    .replaceAll(' ', '-')

const textOf = ({ children }: Token): string =>
  (children ?? [])
    .filter(({ type }) => type === 'text' || type === 'code_inline')
    .map(({ content }) => content)
    .join('')

function anchorsOf(tokens: Token[]): Set<string> {
  const anchors = new Set<string>()
  for (const [at, token] of tokens.entries()) {
    for (const [, id] of htmlOf(token).matchAll(/\s(?:id|name)="([^"]+)"/g)) anchors.add(id as string)
    if (tokens[at - 1]?.type !== 'heading_open') continue
    const anchor = anchorOf(textOf(token))
    let free = anchor
    for (let n = 1; anchors.has(free); n++) free = `${anchor}-${n}`
    anchors.add(free)
  }
  return anchors
}

/** HTML of a block, without comments. */
function htmlOf(token: Token): string {
  const inline = (token.children ?? []).filter(({ type }) => type === 'html_inline')
  const html = token.type === 'html_block' ? token.content : inline.map(({ content }) => content).join('\n')
  return html.replace(/<!--.*?-->/gs, '')
}

function linksOf(tokens: Token[]): Link[] {
  let line = 1
  return tokens.flatMap((token) => {
    // Table cells have no line numbers.
    if (token.map) line = lineOf(token)
    const marked = (token.children ?? []).flatMap(
      (child) => String(child.attrGet('href') ?? child.attrGet('src') ?? '') || [],
    )
    const tagged = [...htmlOf(token).matchAll(/\s(?:href|src|srcset)="([^"]+)"/g)].map(
      ([, target]) => target as string,
    )
    return [...marked, ...tagged].map((target) => ({ line, target }))
  })
}
