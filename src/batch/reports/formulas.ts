/*
 * Spreadsheets run a cell as a formula if it starts with certain characters, and uploaders choose the keys of images.
 * Programs set to another separator also start a cell at that separator.
 */

/** Characters that start a formula; the full-width forms do in Japanese locales. */
const formula = '[=+\\-@＝＋－＠]'
const separator = '[;|\\t\\r\\n]'
/** Characters that some programs strip from the start of a cell. */
const stripped = `(?:(?!${separator})[\\p{Zs}\\p{Cc}\\p{Cf}"])*`

const cellStart = new RegExp(`(^|${separator})('*${stripped}${formula})`, 'gu')
const textStart = /^('*[\t\r\n])/

/**
 * Neutralises formulas: puts an apostrophe before anything that would start one, and before a leading tab or line
 * break. An apostrophe that is already there gets a second one, so that removing one restores the text.
 */
export const neutralise = (text: string): string => text.replace(cellStart, "$1'$2").replace(textStart, "'$1")
