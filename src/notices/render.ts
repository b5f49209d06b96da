import type { Component } from './component'

const rule = '='.repeat(78)

const order = (one: Component, other: Component): number => (keyOf(one) < keyOf(other) ? -1 : 1)

const keyOf = ({ name, version }: Component): string => `${name} ${version}`.trim()

/** Copies of one licence differ in line ends and trailing space. */
const tidy = (text: string): string => text.replace(/[^\S\n]+$/gm, '').trim()

/**
 * Renders a notices file: a list of components with the numbers of their texts, then each text once. The output does not depend
 * on the order of the components.
 * @param holder the file described, such as "dist/cli.cjs"
 */
export function renderNotices(holder: string, components: Component[]): string {
  const distinct = [...new Map(components.map((one) => [keyOf(one), one])).values()].sort(order)
  const numbers = new Map<string, number>()
  const lines = distinct.map((component) => {
    const texts = component.texts.map((text) => {
      const tidied = tidy(text)
      const number = numbers.get(tidied) ?? numbers.size + 1
      numbers.set(tidied, number)
      return number
    })
    const { license, source } = component
    return `${keyOf(component)} (${license}): ${texts.join(', ')}${source ? `\n    ${source}` : ''}`
  })
  const texts = [...numbers].map(([text, number]) => `${rule}\n[${number}]\n\n${text}\n`)
  const head = `Third-party notices: ${holder}\n\nIt holds work of others, ${distinct.length} components. The numbers are those of the texts below.\n`
  return [head, lines.join('\n'), '', ...texts].join('\n')
}
