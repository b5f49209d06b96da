const { relative } = require('node:path')

/** The reason for which a test was skipped, from the title that `needs` gave to it or to an enclosing suite. */
function whyOf({ ancestorTitles, title }) {
  for (const [index, one] of [...ancestorTitles, title].entries()) {
    const [, name, reason] = /^(.*) \(skipped: (.*)\)$/.exec(one) ?? []
    if (reason) return `${[...ancestorTitles.slice(0, index), name].join(' › ')}: ${reason}`
  }
}

/** One line for each skipped suite: `skipped: <suite>: <reason> (<tests>)`. */
function skippedLines(testResults, { rootDir, testNamePattern }) {
  const otherwise = testNamePattern ? `not named ${testNamePattern}` : 'no reason given'
  const counts = new Map()
  for (const { testFilePath, testResults: tests } of testResults) {
    for (const test of tests.filter(({ status }) => status === 'pending' || status === 'todo')) {
      const why = whyOf(test) ?? `${relative(rootDir, testFilePath)}: ${otherwise}`
      counts.set(why, (counts.get(why) ?? 0) + 1)
    }
  }
  return [...counts].map(([why, tests]) => `skipped: ${why} (${tests} ${tests === 1 ? 'test' : 'tests'})`)
}

// CI reads the outcome from the last line of the output, and the skipped suites from the lines before it.
module.exports = class ClosingLine {
  constructor(config) {
    this.config = config
  }

  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites
    const skipped = results.numPendingTests + results.numTodoTests
    const lines = skippedLines(results.testResults, this.config)
    const closing = `${results.numPassedTests} passed, ${failed} failed, ${skipped} skipped`
    process.on('exit', () => process.stdout.write(`\n${[...lines, closing].join('\n')}\n`))
  }
}
