import { globMatcher } from '../../src/glob'

/** Prints whether each key matches. Arguments: glob, keys as JSON. */
const [glob = '', keys = '[]'] = process.argv.slice(2)
process.stdout.write(JSON.stringify((JSON.parse(keys) as string[]).map(globMatcher(glob))))
