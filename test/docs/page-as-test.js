const { join } = require('node:path')

/** Makes Jest take a page for a file of tests. */
module.exports = {
  process: () => ({
    code: `require(${JSON.stringify(join(__dirname, 'page-tests'))}).testPage(__filename)`,
  }),
}
