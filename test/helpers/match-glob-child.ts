import { globMatcher } from '../../src/glob'

/** Prints whether each of the keys, given as JSON behind the glob, matches. */
const [glob = '', keys = '[]'] = process.argv.slice(2)
process.stdout.write(JSON.stringify((JSON.parse(keys) as string[]).map(globMatcher(glob))))
