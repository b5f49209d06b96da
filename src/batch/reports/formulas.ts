/*
 * Spreadsheets run a cell that begins with one of a few characters as a formula, and anyone who uploads an image chooses
 * its key. Programs set to another separator than the comma begin a cell at that separator, too.
 */

/** What begins a formula; the wide forms do in Japanese settings. */
const formula = '[=+\\-@＝＋－＠]'
const separator = '[;|\\t\\r\\n]'
/** What some programs drop before they look at a cell. */
const dropped = `(?:(?!${separator})[\\p{Zs}\\p{Cc}\\p{Cf}"])*`

const cellStart = new RegExp(`(^|${separator})('*${dropped}${formula})`, 'gu')
const textStart = /^('*[\t\r\n])/

/**
 * Makes text harmless to spreadsheets: an apostrophe goes before what would begin a formula, and before a tab or line break
 * that begins the text. Apostrophes that are there already get one more, so that removing one gives the text back.
 */
export const neutralise = (text: string): string => text.replace(cellStart, "$1'$2").replace(textStart, "'$1")
